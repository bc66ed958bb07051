() => {
    // An opened video, made smoother, larger, or another kind of file: a form, then how far it is and Stop.
    const library = window.t2vLibrary;
    const { make, tried } = library;
    const RATES = [['', 'Its own rate'], ['12', '12 a second'], ['24', '24 a second'], ['30', '30 a second'], ['60', '60 a second']];
    const SIZES = [['1', 'Its own size'], ['2', 'Twice as large'], ['4', 'Four times as large']];
    const KINDS = [['.mp4', 'MP4'], ['.webm', 'WebM'], ['.gif', 'GIF'], ['.webp', 'WebP']];
    const EVERY_MS = 500;

    const choice = (name, options, chosen) => {
        const select = make('select', {}, ...options.map(([value, text]) => make('option', { value, selected: value === chosen }, text)));
        return [select, make('label', { class: 'named' }, make('span', {}, name), select)];
    };

    library.finishing = (video) => {
        const own = video.name.slice(video.name.lastIndexOf('.')).toLowerCase();
        const [rate, rateField] = choice('Frames', RATES, '');
        const [size, sizeField] = choice('Size', SIZES, '1');
        const [kind, kindField] = choice('Kind', KINDS, own);
        const told = make('div', { class: 'made-told', role: 'status', hidden: true });
        const bar = make('progress', { 'aria-label': 'Progress', hidden: true });
        const begin = make('button', { type: 'button', class: 'main' }, 'Make it');
        const stop = make('button', { type: 'button', hidden: true }, 'Stop');

        const show = (step) => {
            const works = step.state === 'running' || step.state === 'waiting';
            begin.disabled = works;
            stop.hidden = bar.hidden = !works;
            if (step.total) {
                bar.max = step.total;
                bar.value = step.done;
            } else {
                bar.removeAttribute('value');
            }
            if (told.hidden) {
                told.hidden = false; // it begins: what follows is to be seen
                setTimeout(() => told.scrollIntoView({ block: 'nearest', behavior: 'smooth' }), 50);
            }
            if (works) told.textContent = step.total ? `Frame ${step.done} of ${step.total}` : 'Getting ready …';
            if (step.state === 'stopped') told.textContent = 'Stopped; nothing was kept of it.';
            if (step.state === 'failed') told.textContent = step.error;
            if (step.state === 'done') tellMade(step);
            return works;
        };
        const seen = () => told.scrollIntoView({ block: 'end', behavior: 'smooth' });
        const tellMade = async (step) => {
            told.textContent = `Made ${step.name}; it lies in the library. `;
            seen();
            const made = step.video && await library.ask('video', { id: step.video }).catch(() => null);
            if (!made) return;
            told.append(make('span', { class: 'acts' }, make('button', { type: 'button', onclick: () => library.open(made) }, 'Open the new one'),
                make('a', { class: 'as-button', href: made.url, download: made.name }, `Download the new one (${made.width} × ${made.height})`)));
            seen();
        };
        const follow = async (id) => {
            const step = await library.ask('finishing', { id }).catch((error) => ({ state: 'failed', error: error.message }));
            if (show(step)) {
                setTimeout(follow, EVERY_MS, id);
                return;
            }
            if (step.state === 'done') library.change('videos');
            if (!told.isConnected && step.state !== 'stopped') library.say(told.textContent, step.video ? { name: 'Open it', run: () => library.open({ id: step.video }) } : null, step.state === 'failed');
        };
        begin.addEventListener('click', async () => {
            told.hidden = true;
            const values = { id: video.id, upscale: Number(size.value), fps: rate.value ? Number(rate.value) : null, kind: kind.value };
            try {
                const { step } = await library.order('finish', values);
                stop.onclick = tried(() => library.order('finish_stop', { id: step }));
                follow(step);
            } catch (error) {
                show({ state: 'failed', error: error.message });
            }
        });
        const opened = (event) => event.target.open && event.target.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
        return make('details', { class: 'finish', ontoggle: opened }, make('summary', {}, 'Make it smoother, larger or another kind of file'),
            make('div', { class: 'acts' }, rateField, sizeField, kindField), make('div', { class: 'acts' }, begin, stop, bar), told);
    };
}
