() => {
    // One video large with its settings; and what a clean-up would remove.
    const library = window.t2vLibrary;
    const { make, tried } = library;
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    const LEFT_OUT = new Set(['task', 'program', 'version', 'prompt', 'finished', 'weights']);

    let dialog = null;
    const show = (name, ...content) => {
        if (!dialog || !dialog.isConnected) {
            dialog = make('dialog', { class: 'library-dialog' });
            dialog.addEventListener('close', () => {
                library.unsay(dialog);
                dialog.replaceChildren();
                dialog.keys = null;
            });
            dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
            dialog.addEventListener('keydown', (event) => {
                if (dialog.keys && !event.target.matches('input, video')) dialog.keys(event.key);
            });
            library.container().append(dialog);
        }
        library.unsay(dialog);
        dialog.keys = null;
        const called = (one) => one.getAttribute('aria-label') || one.textContent;
        const before = dialog.contains(document.activeElement) && called(document.activeElement);
        dialog.setAttribute('aria-label', name);
        dialog.replaceChildren(make('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => dialog.close() }, '×'), ...content.filter(Boolean));
        if (!dialog.open) dialog.showModal();
        else ([...dialog.querySelectorAll('button:enabled')].find((one) => called(one) === before) || dialog.querySelector('button')).focus();
        dialog.scrollTop = 0;
        library.resay(); // what it has a way back for is within reach
        return dialog;
    };

    const plays = (video, isLeader) => {
        const alt = `Video: ${video.prompt || video.name}`;
        const size = { width: video.width || null, height: video.height || null }; // or the buttons below jump when it is there
        if (/\.(gif|webp|png)$/i.test(video.name)) return make('img', { src: video.url, alt, ...size });
        const player = make('video', { src: video.url, 'aria-label': alt, loop: true, playsinline: true, controls: isLeader, preload: 'auto', ...size });
        player.muted = true;
        if (isLeader && !calm.matches) player.autoplay = true;
        return player;
    };

    // A fraction as people can compare it; older files carry the same one with fewer digits.
    const rounded = (value) => (typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value);

    // Settings in the words and the order of the form; those that it has no field for come last, by their names.
    const inWords = (task, name, value) => {
        const fields = (library.words[task] || { fields: {} }).fields;
        const [label, choices] = fields[name] || [name.replaceAll('_', ' '), {}];
        const key = value === null ? '' : value === true ? 'True' : value === false ? 'False' : String(value);
        if (name in fields && choices[key]) return [label, choices[key]];
        if (value === null || value === '') return [label, '–'];
        if (value === true || value === false) return [label, value ? 'yes' : 'no'];
        return [label, typeof value === 'object' ? JSON.stringify(value, (_, part) => rounded(part)) : String(rounded(value))];
    };
    const settingsOf = (video) => {
        const fields = Object.keys((library.words[video.task] || { fields: {} }).fields);
        const names = Object.keys(video.settings).filter((name) => !LEFT_OUT.has(name) && !(name === 'also' && !video.settings.also.length));
        const place = (name) => (fields.indexOf(name) + 1 || fields.length + 1);
        return names.sort((a, b) => place(a) - place(b)).map((name) => [name, ...inWords(video.task, name, video.settings[name])]);
    };
    const facts = (video) => [
        ['Task', library.taskName(video.task)],
        ['Made', library.whenFully(video.made_s)],
        ['Length', `${library.counted(video.frames, 'frame')}, ${(video.frames / (video.fps || 1)).toFixed(1)} s`],
        ['Pixels', `${video.width} × ${video.height}`],
        ['File', `${video.name}, ${library.bytes(video.size_bytes)}`],
    ];
    const list = (rows, kind) => make('dl', { class: kind }, ...rows.flatMap(([label, value]) => [make('dt', {}, label), make('dd', {}, value)]));

    // what was chosen for this video first; what is as usual lies under a fold
    const settingsLists = (video) => {
        const usual = new Set(video.usual), rows = settingsOf(video);
        const of = (some) => list(some.map(([, label, value]) => [label, value]), 'settings-list');
        const [own, rest] = [rows.filter(([name]) => !usual.has(name)), rows.filter(([name]) => usual.has(name))];
        return [own.length ? of(own) : null, rest.length > 0 && make('details', { class: 'as-usual' }, make('summary', {}, `As usual: ${library.counted(rest.length, 'setting')}`), of(rest))];
    };

    // What was made with the same settings and seed is the same to the last bit: one of them may go.
    const sameAs = (video) => video.same_as.length > 0 && make('p', { class: 'hint same-as' }, 'Same settings and same pictures as ',
        ...video.same_as.flatMap((other, place) => [place ? ', ' : '', make('button', { type: 'button', class: 'small', onclick: () => library.open(other) }, `${other.name}, ${library.whenFully(other.made_s)}`)]), '. One of them can go.');

    const button = (text, act, kind = '') => make('button', { type: 'button', class: kind, onclick: act }, text);
    const leave = (work) => () => {
        dialog.close();
        work();
    };

    library.dialogs = { show, plays, settingsOf, button, leave };

    library.open = tried(async (card) => {
        const video = await library.ask('video', { id: card.id });
        const near = await library.ask('neighbours', { ...(library.shownQuery ? library.shownQuery() : {}), id: card.id });
        const seed = make('input', { type: 'checkbox' });
        const canUse = Object.keys(video.settings).length > 0;
        const star = button('', async () => { await library.star(video, !video.star); star.update(); }, 'wide-star');
        star.update = () => {
            star.textContent = video.star ? '★ Starred' : '☆ Star';
            star.setAttribute('aria-pressed', String(video.star));
        };
        star.update();
        const compare = button(library.picked.has(video.id) ? 'Chosen to compare' : 'Choose to compare', () => {
            library.pick(video, !library.picked.has(video.id));
            compare.textContent = library.picked.has(video.id) ? 'Chosen to compare' : 'Choose to compare';
            compare.setAttribute('aria-pressed', String(library.picked.has(video.id)));
        });
        compare.setAttribute('aria-pressed', String(library.picked.has(video.id)));
        const step = (text, other) => make('button', { type: 'button', disabled: !other, 'aria-label': text, title: text, onclick: () => library.open(other) }, text === 'Newer' ? '‹' : '›');
        const title = video.prompt || video.name;
        show(title,
            make('h2', {}, title),
            make('div', { class: 'opened' }, make('div', {}, make('div', { class: 'large' }, plays(video, true)), make('div', { class: 'acts' },
                step('Newer', near.newer), step('Older', near.older),
                canUse && button('Use these settings', leave(() => library.use(video, seed.checked)), 'main'),
                canUse && make('label', { class: 'tick' }, seed, 'with its seed'),
                canUse && button('Again with a new seed', leave(() => library.again(video))),
                library.canGoOn(video) && button('Continue from the last frame', leave(() => library.goOn(video))),
                star, compare,
                make('a', { class: 'as-button', href: video.url, download: video.name }, 'Download'),
                button('Delete', leave(() => library.remove([video])))), library.finishing(video)),
            make('div', {}, sameAs(video),
            list(facts(video), 'facts-list'),
            canUse ? make('h3', {}, 'Settings') : make('p', { class: 'hint' }, 'This file carries no settings.'),
            ...settingsLists(video))));
        dialog.keys = (key) => {
            if (key === 'ArrowLeft' && near.newer) library.open(near.newer);
            if (key === 'ArrowRight' && near.older) library.open(near.older);
        };
    });

    // What a clean-up removes is shown first
    library.cleanUp = tried(async () => {
        const about = await library.ask('overview');
        // a little more than there is, so that nothing goes by rounding
        const start = about.limit_bytes === null ? 1.01 * about.size_bytes : about.limit_bytes;
        const [unit, bytes] = start < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
        const limit = make('input', { type: 'number', min: 0, step: 'any', value: Number((start / bytes).toPrecision(3)) });
        const told = make('p', { role: 'status' });
        const going = make('ul', { class: 'going', tabindex: 0, 'aria-label': 'What would go' });
        const go = button('Remove them for good', tried(async () => {
            const { freed_bytes: freed } = await library.order('clean_up', { ids: going.ids, limit_bytes: going.limit });
            dialog.close();
            library.say(`Removed for good; ${library.bytes(freed)} are free again.`);
            library.change('videos');
        }), 'main');
        const look = tried(async () => {
            going.limit = Math.round(Number(limit.value) * bytes);
            const found = await library.ask('would_go', { limit_bytes: going.limit });
            going.ids = found.videos.map((video) => video.id);
            const bin = found.bin_bytes ? ` What was deleted in the last day (${library.bytes(found.bin_bytes)}) goes too.` : '';
            told.textContent = found.videos.length
                ? `${library.counted(found.videos.length, 'video')} would go (${library.bytes(found.size_bytes)}), the oldest without a star.${bin}`
                : `No video has to go.${bin}`;
            going.replaceChildren(...found.videos.slice(0, 200).map((video) => make('li', {}, library.thumbnail(video), make('span', {}, `${video.prompt || video.name}, ${library.when(video.made_s)}, ${library.bytes(video.size_bytes)}`))));
            go.disabled = !found.videos.length && !found.bin_bytes;
        });
        limit.addEventListener('input', look);
        show('Clean up', make('h2', {}, 'Clean up'),
            make('p', {}, `The videos take ${library.bytes(about.size_bytes)}. Starred ones always stay.`),
            make('label', { class: 'named' }, make('span', {}, `Keep at most (${unit})`), limit), told, going, make('div', { class: 'acts' }, go, button('Leave everything', () => dialog.close())));
        await look();
    });
}
