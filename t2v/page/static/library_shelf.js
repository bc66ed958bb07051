() => {
    // The strip below the tabs, and the tab "Library": a grid of which only the rows in view are on the page,
    // so that thousands of videos take no more of it than a few.
    const library = window.t2vLibrary;
    const { make, tried } = library;
    const PAGE = 60; // videos asked for at once
    const KEPT_PAGES = 12;
    const LEAST_PX = 150;
    const GAP_PX = 12;
    const UNDER_PX = 86; // prompt and two lines of facts below a picture
    const SPARE_ROWS = 2; // above and below the window
    const STRIP = 12;

    const open = (video) => library.open(video);

    library.card = (video) => {
        const name = video.prompt || video.name;
        const star = make('button', {
            type: 'button', class: 'star', 'aria-pressed': String(video.star), 'aria-label': `Star: ${name}`, title: 'Star',
            onclick: () => library.star(video, !video.star),
        }, video.star ? '★' : '☆');
        const pick = make('input', {
            type: 'checkbox', 'aria-label': `Choose: ${name}`, title: 'Choose, to compare or delete',
            onchange: (event) => library.pick(video, event.target.checked),
        });
        pick.checked = library.picked.has(video.id);
        const corner = video.deleted
            ? make('button', { type: 'button', class: 'small back', 'aria-label': `Bring back: ${name}`, onclick: () => library.bringBack([video.id]) }, 'Bring back')
            : star;
        const opens = video.deleted ? {} : { class: 'opens', onclick: () => open(video) }; // as the picture does; keys have that one
        return make('div', { class: 'video-card', role: 'listitem', 'data-id': video.id },
            make('button', { type: 'button', class: 'open', 'aria-label': `Open: ${name}`, disabled: video.deleted, onclick: () => open(video) }, library.thumbnail(video), twinned(video)),
            corner,
            !video.deleted && make('label', { class: 'pick' }, pick),
            make('p', { title: name, ...opens }, name),
            make('span', { title: library.whenFully(video.made_s), ...opens }, library.taskName(video.task)),
            make('span', { ...opens, title: `${video.name}, ${library.counted(video.frames, 'frame')}` }, `${library.when(video.made_s)} · ${video.width} × ${video.height}`));
    };
    const twinned = (video) => video.twins > 0 && make('em', {
        title: `Made ${video.twins + 1} times: the same settings gave the same pictures. Open it to see which videos they are.`,
    }, `made ${video.twins + 1} times`);
    library.pick = (video, on) => {
        if (on) library.picked.set(video.id, video);
        else library.picked.delete(video.id);
        library.change('picked');
    };

    // The strip

    const mountStrip = (place) => {
        const row = make('div', { class: 'strip-row', role: 'list', 'aria-label': 'Newest videos' });
        const all = make('button', { type: 'button', class: 'small', onclick: () => library.openTab('Library') }, 'All videos');
        place.append(make('div', { class: 'strip-head' }, make('h2', {}, 'Your videos'), stillButton(), all), row);
        const fill = async () => {
            const { videos } = await library.ask('videos', { limit: STRIP });
            place.classList.toggle('empty', !videos.length);
            const before = new Map([...row.children].map((one) => [one.dataset.key, one]));
            row.replaceChildren(...videos.map((video) => {
                const key = `${video.id} ${video.prompt}`;
                return before.get(key) || make('div', { role: 'listitem', 'data-key': key },
                    make('button', { type: 'button', class: 'open', 'aria-label': `Open: ${video.prompt || video.name}`, title: video.prompt || video.name, onclick: () => open(video) }, library.thumbnail(video)));
            }));
        };
        place.classList.add('empty');
        setInterval(() => { // the tab shows them all
            const tab = document.querySelector('.library-tab');
            const isElsewhere = Boolean(tab && tab.offsetParent);
            if (place.classList.contains('elsewhere') === isElsewhere) return;
            place.classList.toggle('elsewhere', isElsewhere);
            library.change('place');
        }, 150);
        return { videos: fill };
    };
    const stillButton = () => {
        const label = () => (library.isStill() ? 'Play pictures' : 'Pause pictures');
        const button = make('button', { type: 'button', class: 'small quiet', onclick: () => library.setStill(!library.isStill()) }, label());
        library.listeners.add((what) => what === 'still' && (button.textContent = label()));
        return button;
    };

    // The tab

    const mountTab = (place) => {
        const query = { words: '', day: '', task: '', model: '', starred: false, deleted: false, zone: Intl.DateTimeFormat().resolvedOptions().timeZone || '' };
        const state = { total: 0, pages: new Map(), asked: new Set(), generation: 0, overview: null };
        const grid = make('div', { class: 'video-grid', role: 'list', 'aria-label': 'Videos' });
        const line = make('p', { class: 'library-line', role: 'status' });
        const cards = new Map(); // number -> card

        const video = (number) => (state.pages.get(Math.floor(number / PAGE)) || [])[number % PAGE];
        const ask = tried(async (page) => {
            if (state.asked.has(page)) return;
            state.asked.add(page);
            const { generation } = state;
            try {
                const found = await library.ask('videos', { ...query, offset: page * PAGE, limit: PAGE });
                if (generation !== state.generation) return;
                state.total = found.total;
                state.meant = found.meant;
                state.nothing = found.nothing;
                state.pages.set(page, found.videos);
                for (const old of state.pages.keys()) { // of thousands not all are kept
                    if (state.pages.size <= KEPT_PAGES) break;
                    if (Math.abs(old - page) > 2) state.pages.delete(old);
                }
            } finally {
                if (generation === state.generation) state.asked.delete(page);
            }
            draw();
            tell();
        });

        const draw = () => {
            if (!grid.offsetParent) return;
            const width = grid.clientWidth;
            const columns = Math.max(2, Math.floor((width + GAP_PX) / (LEAST_PX + GAP_PX)));
            const side = Math.floor((width - GAP_PX * (columns - 1)) / columns);
            const row = side + UNDER_PX + GAP_PX;
            grid.style.height = `${Math.ceil(state.total / columns) * row}px`;
            const top = -grid.getBoundingClientRect().top;
            const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS) * columns;
            const end = Math.min(state.total, (Math.ceil((top + innerHeight) / row) + SPARE_ROWS) * columns);
            for (const [number, card] of cards) {
                const isIn = number >= first && number < end && video(number);
                if (isIn || (card.contains(document.activeElement) && number < state.total)) continue;
                card.remove();
                cards.delete(number);
            }
            for (let number = first; number < end; number += 1) {
                const about = video(number);
                if (!about) {
                    ask(Math.floor(number / PAGE));
                    continue;
                }
                const key = JSON.stringify(about);
                let card = cards.get(number);
                if (!card || card.dataset.key !== key) card = put(number, about, key);
                card.style.width = `${side}px`;
                card.style.transform = `translate(${(number % columns) * (side + GAP_PX)}px, ${Math.floor(number / columns) * row}px)`;
            }
        };
        const put = (number, about, key) => {
            const old = cards.get(number);
            const focused = old && old.contains(document.activeElement) && document.activeElement.className;
            const card = library.card(about);
            card.dataset.key = key;
            card.setAttribute('aria-posinset', number + 1);
            card.setAttribute('aria-setsize', state.total);
            const after = [...cards.keys()].filter((other) => other > number).sort((a, b) => a - b)[0];
            if (old) old.replaceWith(card);
            else grid.insertBefore(card, after === undefined ? null : cards.get(after));
            cards.set(number, card);
            if (focused) (card.getElementsByClassName(focused)[0] || card.querySelector('button')).focus();
            return card;
        };

        const isNarrowed = () => query.words.trim() || query.day || query.task || query.model || query.starred;
        const tell = () => {
            const { overview } = state;
            if (!overview) return;
            if (query.deleted) {
                line.textContent = state.total ? `${library.counted(state.total, 'video')} deleted in the last day.` : 'Nothing was deleted in the last day.';
            } else if (!overview.total) {
                line.textContent = 'No video yet. The first one that you make appears here.';
            } else if (isNarrowed()) {
                line.textContent = state.total ? `${state.total.toLocaleString('en')} of ${library.counted(overview.total, 'video')}.` : `${state.nothing} ${state.meant ? 'Did you mean ' : ''}`;
                if (!state.total && state.meant) line.append(make('button', { type: 'button', class: 'small meant', onclick: () => tools.type(state.meant) }, state.meant), '?');
            } else {
                const limit = overview.limit_bytes;
                const isOver = limit !== null && overview.size_bytes > limit;
                line.textContent = `${library.counted(overview.total, 'video')}, ${library.bytes(overview.size_bytes)}${isOver ? `: more than the ${library.bytes(limit)} that you set` : ''}.`;
            }
            tools.cleaning.hidden = !overview.may_clean_up || !overview.total;
        };
        const again = async () => {
            state.generation += 1;
            state.pages.clear();
            state.asked.clear();
            await ask(0);
            draw();
        };
        const look = tried(async () => {
            state.overview = await library.ask('overview');
            choose(tools.task, 'All tasks', state.overview.tasks.map((task) => [task, library.taskName(task)]));
            choose(tools.model, 'All models', state.overview.models.map((model) => [model, model]));
            tools.model.parentElement.hidden = state.overview.models.length < 2;
            tell();
        });

        // What has changed is asked for again; cards that are the same stay as they are.
        const refresh = tried(async () => {
            state.generation += 1;
            state.asked.clear();
            await look();
            if (!grid.offsetParent) {
                state.pages.clear();
                state.isOld = true;
                return;
            }
            const { generation } = state;
            const shown = [...new Set([0, ...[...cards.keys()].map((number) => Math.floor(number / PAGE))])];
            const fresh = await Promise.all(shown.map((page) => library.ask('videos', { ...query, offset: page * PAGE, limit: PAGE })));
            if (generation !== state.generation) return;
            state.pages = new Map(shown.map((page, place) => [page, fresh[place].videos]));
            state.total = fresh[0].total;
            state.meant = fresh[0].meant;
            state.nothing = fresh[0].nothing;
            draw();
            tell();
        });

        const tools = toolbar(query, () => again());
        place.append(make('h2', { class: 'unseen' }, 'Library'), tools.row, make('div', { class: 'library-under' }, line, stillButton(), tools.cleaning), grid);
        let frame = 0;
        const soon = () => {
            frame = frame || requestAnimationFrame(() => {
                frame = 0;
                draw();
            });
        };
        library.shownQuery = () => (grid.offsetParent ? query : {});
        addEventListener('scroll', soon, { passive: true, capture: true });
        new ResizeObserver(() => (state.isOld ? ((state.isOld = false), again()) : soon())).observe(place);
        state.isOld = true;
        return { videos: refresh };
    };

    const choose = (select, all, options) => {
        const now = JSON.stringify(options);
        if (select.dataset.options === now) return;
        const { value } = select;
        select.dataset.options = now;
        select.replaceChildren(make('option', { value: '' }, all), ...options.map(([key, name]) => make('option', { value: key }, name)));
        select.value = value;
    };
    const toolbar = (query, changed) => {
        let typing = 0;
        const words = make('input', { type: 'search', placeholder: 'Words of the prompt, or a day', oninput: (event) => {
            query.words = event.target.value;
            clearTimeout(typing);
            typing = setTimeout(changed, 150);
        } });
        const type = (text) => {
            query.words = words.value = text;
            words.focus();
            changed();
        };
        const day = make('input', { type: 'date', onchange: (event) => { query.day = event.target.value; changed(); } });
        const select = (name) => make('select', { onchange: (event) => { query[name] = event.target.value; changed(); } });
        const box = (name, label) => make('label', { class: 'tick' }, make('input', { type: 'checkbox', onchange: (event) => { query[name] = event.target.checked; changed(); } }), label);
        const [task, model] = [select('task'), select('model')];
        const cleaning = make('button', { type: 'button', class: 'small', hidden: true, onclick: () => library.cleanUp() }, 'Clean up …');
        const named = (label, field, kind = '') => make('label', { class: `named ${kind}` }, make('span', {}, label), field);
        const row = make('div', { class: 'library-tools', role: 'search' }, named('Search', words, 'wide'), named('Day', day), named('Task', task), named('Model', model), box('starred', 'Starred'), box('deleted', 'Deleted'));
        return { row, task, model, cleaning, type };
    };

    // Gradio makes the places anew when a lost server is there again; and the tab's only when it is opened.
    const mounted = new WeakSet();
    let refreshers = [];
    const mount = (selector, make_) => {
        const place = document.querySelector(selector);
        if (!place || mounted.has(place)) return;
        mounted.add(place);
        library.words = JSON.parse(place.dataset.words);
        const parts = make_(place);
        refreshers = refreshers.filter((one) => one.place.isConnected).concat({ place, ...parts });
        parts.videos().catch(() => {});
    };
    library.listeners.add((what) => what === 'videos' && refreshers.forEach((one) => one.videos().catch(() => {})));
    setInterval(() => {
        mount('.library-strip', mountStrip);
        mount('.library-tab', mountTab);
    }, 150);

    // New videos: at once when a run of this window ends, and every some seconds what others made.
    let shown = '';
    let revision = null;
    const look = async () => {
        const found = await library.ask('revision').catch(() => null);
        if (!found) return;
        if (revision !== null && found.revision !== revision) library.change('videos');
        ({ revision } = found);
    };
    setInterval(() => {
        const now = [...document.querySelectorAll('.stage[data-state=done] video')].map((one) => one.src).join(' ');
        if (now === shown) return;
        shown = now;
        if (now) look();
    }, 300);
    setInterval(() => !document.hidden && look(), 4000);
    look();
}
