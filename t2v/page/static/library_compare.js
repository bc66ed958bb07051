() => {
    // Several videos side by side, in step, with what differs between them and what decides: use, star, delete; and
    // the bar that tells which are chosen.
    const library = window.t2vLibrary;
    const { make, tried } = library;
    const { show, plays, settingsOf, button, leave } = library.dialogs;
    const MOST = 6; // side by side
    const APART_S = 0.08;
    const calm = matchMedia('(prefers-reduced-motion: reduce)');

    // What differs: more than by rounding. What differs only as it suits each video's model and choices, nobody
    // chose: it follows.
    const ALWAYS_TOLD = new Set(['task', 'prompt', 'model', 'seed']);
    const linesOf = (videos) => {
        const rows = new Map([
            ['task', { label: 'Task', values: videos.map((video) => library.taskName(video.task)) }],
            ['prompt', { label: 'Prompt', values: videos.map((video) => video.prompt || '–') }],
        ]);
        videos.forEach((video, place) => settingsOf(video).forEach(([name, label, value]) => {
            if (!rows.has(name)) rows.set(name, { label, values: videos.map(() => '–') });
            rows.get(name).values[place] = value;
        }));
        const usual = videos.map((video) => new Set(video.usual));
        return [...rows].map(([name, row]) => {
            const follows = videos.every((video, place) => !(name in video.settings) || usual[place].has(name));
            const differs = row.values.some((value) => value !== row.values[0]);
            return { ...row, kind: !differs ? 'same' : follows && !ALWAYS_TOLD.has(name) ? 'follows' : 'differs' };
        });
    };

    // Below each of them: keep it, be rid of it, or go on from it.
    const deciding = (videos, place) => {
        const video = videos[place];
        const name = `Video ${place + 1}`;
        const star = button('', async () => { await library.star(video, !video.star); told(); }, 'wide-star small');
        const told = () => {
            star.textContent = video.star ? '★ Starred' : '☆ Star';
            star.setAttribute('aria-pressed', String(video.star));
            star.setAttribute('aria-label', `Star: ${name}`);
        };
        told();
        const others = videos.filter((one) => one !== video);
        const away = button('Delete', async () => {
            if (!await library.remove([video], () => library.compare(videos))) return;
            if (others.length > 1) await library.compare(others);
            else leave(() => others.length && library.open(others[0]))();
        }, 'small');
        away.setAttribute('aria-label', `Delete: ${name}`);
        return make('figcaption', {}, make('span', {}, name), star, button('Use these settings', leave(() => library.use(video, true)), 'small'), away);
    };

    // Side by side: all follow the first, and what differs is marked.
    library.compare = tried(async (cards) => {
        const videos = await Promise.all(cards.slice(0, MOST).map((card) => library.ask('video', { id: card.id })));
        const players = videos.map((video) => plays(video, false));
        const moving = players.filter((one) => one instanceof HTMLVideoElement);
        const position = make('input', { type: 'range', min: 0, max: 1, step: 0.001, value: 0, 'aria-label': 'Position', oninput: () => seek(Number(position.value)) });
        const play = button('', () => (isPlaying() ? pause() : start()), 'main');
        const isPlaying = () => moving.some((one) => !one.paused);
        const pause = () => moving.forEach((one) => one.pause());
        const start = () => moving.forEach((one) => one.play().catch(() => {}));
        const seek = (share) => {
            pause();
            const [leader] = moving;
            moving.forEach((one) => { one.currentTime = (share * leader.duration) % (one.duration || 1); });
        };
        const lines = linesOf(videos).map(({ label, values, kind }) => {
            const mark = kind !== 'same' && make('span', { class: 'differs-mark', title: 'differs' }, '≠', make('span', { class: 'unseen' }, ' differs'));
            const cells = values.map((value, place) => make('td', { role: 'cell', 'data-of': `Video ${place + 1}` }, value));
            return make('tr', { class: kind, role: 'row' }, make('th', { scope: 'row', role: 'rowheader' }, label, ' ', mark), ...cells);
        });
        const heads = videos.map((_, place) => make('th', { scope: 'col', role: 'columnheader' }, `Video ${place + 1}`));
        const table = make('table', { class: 'only-differs', role: 'table', style: `--count:${videos.length}` },
            make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, make('td', {}), ...heads)), make('tbody', { role: 'rowgroup' }, ...lines));
        const only = make('input', { type: 'checkbox', onchange: (event) => table.classList.toggle('only-differs', event.target.checked) });
        only.checked = true;
        const following = lines.filter((line) => line.className === 'follows').length;
        const hint = following > 0 && make('p', { class: 'hint follows-hint' }, `${library.counted(following, 'more setting')} ${following === 1 ? 'differs' : 'differ'} only because ${following === 1 ? 'it suits' : 'they suit'} each video's model and choices; untick “Only what differs” to see ${following === 1 ? 'it' : 'them'}.`);
        const alike = lines.every((line) => line.className === 'same') && make('p', { class: 'hint' }, 'Same settings.');
        show(`Compare ${videos.length} videos`,
            make('h2', {}, `Compare ${videos.length} videos`),
            make('div', { class: 'side-by-side', style: `--count:${videos.length}` }, ...players.map((player, place) => make('figure', {}, player, deciding(videos, place)))),
            make('div', { class: 'acts' }, play, position, make('label', { class: 'tick' }, only, 'Only what differs')),
            make('div', { class: 'table-box', tabindex: 0, role: 'region', 'aria-label': 'Settings side by side' }, alike, table, hint));
        if (!calm.matches) start();
        const step = () => {
            const [leader] = moving;
            if (!leader || !leader.isConnected) return;
            play.textContent = isPlaying() ? 'Pause' : 'Play';
            if (leader.duration) {
                if (!leader.paused) position.value = leader.currentTime / leader.duration;
                moving.slice(1).filter((one) => one.duration && !one.seeking && !leader.seeking).forEach((one) => {
                    const goal = leader.currentTime % one.duration;
                    const apart = Math.abs(one.currentTime - goal);
                    if (Math.min(apart, one.duration - apart) > APART_S) one.currentTime = goal;
                });
            }
            setTimeout(step, 100);
        };
        step();
    });

    // The bar for what is chosen: over the library's tab, and elsewhere a line of the strip, where it covers nothing
    let bar = null;
    const placed = () => {
        const [tab, strip] = ['.library-tab', '.library-strip'].map((one) => document.querySelector(one));
        if (tab && tab.offsetParent) return library.container();
        return strip || library.container();
    };
    library.listeners.add((what) => {
        if (!['picked', 'videos', 'place'].includes(what)) return;
        if (!bar || !bar.isConnected) bar = make('div', { class: 'picked-bar', role: 'region', 'aria-label': 'Chosen videos' });
        const place = placed();
        if (bar.parentNode !== place) {
            if (place.matches('.library-strip')) place.querySelector('.strip-head').after(bar);
            else place.append(bar);
        }
        if (what === 'place') return;
        for (const card of document.querySelectorAll('.video-card')) {
            const box = card.querySelector('.pick input');
            if (box) box.checked = library.picked.has(card.dataset.id);
        }
        const chosen = [...library.picked.values()];
        const clear = () => {
            library.picked.clear();
            library.change('picked');
        };
        const compare = button('Compare', () => library.compare(chosen), 'main');
        compare.disabled = chosen.length < 2 || chosen.length > MOST;
        compare.title = chosen.length > MOST ? `At most ${MOST} side by side.` : '';
        bar.replaceChildren(...(chosen.length ? [make('p', { role: 'status' }, `${library.counted(chosen.length, 'video')} chosen`), compare, button('Delete', () => library.remove(chosen)), button('Clear', clear)] : []));
    });
}
