() => {
    // The library's parts that others are made of: asking the server, cards, thumbnails, the line that tells what
    // was done. Everything that people wrote comes into the page as text, never as HTML.
    const BASE = 'gradio_api/library/';
    const library = (window.t2vLibrary = { words: {}, listeners: new Set(), picked: new Map() });

    const reached = (...asked) => fetch(...asked).catch(() => { // browsers only say that it failed
        throw new Error('There is no connection to the server; try again in a moment.');
    });
    const answered = async (answer) => {
        const given = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Error(given.detail || 'The server does not answer; try again in a moment.');
        return given;
    };
    library.ask = async (name, values = {}) => {
        const kept = Object.entries(values).filter(([, value]) => value !== '' && value !== false && value !== undefined);
        const named = kept.map(([key, value]) => [key, value === true ? 'yes' : value]);
        return answered(await reached(`${BASE}${name}?${new URLSearchParams(named)}`));
    };
    library.order = async (name, values) =>
        answered(await reached(BASE + name, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(values) }));

    library.make = (tag, about = {}, ...inside) => {
        const one = document.createElement(tag);
        for (const [name, value] of Object.entries(about)) {
            if (name.startsWith('on')) one.addEventListener(name.slice(2), value);
            else if (value === true) one.setAttribute(name, '');
            else if (value !== false && value !== undefined && value !== null) one.setAttribute(name, value);
        }
        one.append(...inside.filter((part) => part !== null && part !== undefined && part !== false));
        return one;
    };
    const { make } = library;
    library.container = () => document.querySelector('.gradio-container .contain'); // Gradio's @media rules are for what is in it

    // What was done, for all to see and hear, with a way back where there is one.
    let said = null;
    let hiding = 0;
    const DOUBLE_MS = 700; // what stood there before may be pressed twice: the second press is not for this
    library.say = (text, action = null, isWrong = false) => {
        if (!said || !said.isConnected) {
            said = make('div', { class: 'library-said', role: 'status', 'aria-live': 'polite' });
            library.container().append(said);
        }
        if (said.parentNode !== topmost()) topmost().append(said);
        const close = make('button', { type: 'button', class: 'plain', 'aria-label': 'Close this message', onclick: () => said.replaceChildren() }, '×');
        const act = action && make('button', { type: 'button', class: 'small', disabled: true, onclick: () => { said.replaceChildren(); action.run(); } }, action.name);
        if (act) setTimeout(() => { act.disabled = false; }, DOUBLE_MS);
        said.replaceChildren(make('p', { class: isWrong ? 'wrong' : '' }, text), ...(act ? [act] : []), close);
        clearTimeout(hiding);
        const hide = () => {
            if (said.matches(':hover, :focus-within')) hiding = setTimeout(hide, 3000);
            else said.replaceChildren();
        };
        hiding = setTimeout(hide, 20000);
    };
    library.unsay = (from) => said && from.contains(said) && library.container().append(said);
    library.resay = () => said && said.childElementCount && topmost().append(said);
    const topmost = () => document.querySelector('.library-dialog[open]') || library.container();
    library.tried = (work) => async (...given) => {
        try {
            return await work(...given);
        } catch (error) {
            library.say(error.message, null, true);
        }
        return undefined;
    };

    // Loops move unless somebody wants them still, here or in the system's settings.
    const STILL = 't2v-library-still';
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    library.isStill = () => (localStorage.getItem(STILL) || (calm.matches ? 'yes' : 'no')) === 'yes';
    library.setStill = (still) => {
        localStorage.setItem(STILL, still ? 'yes' : 'no');
        document.querySelectorAll('img.thumb[data-of]').forEach(show);
        library.listeners.forEach((listener) => listener('still'));
    };

    // Thumbnails: those that are not made yet are asked for while they are on the page.
    const show = (picture) => {
        picture.src = `${BASE}thumbnail/${picture.dataset.of}${library.isStill() ? '-still' : ''}.webp`;
        picture.classList.remove('waiting');
    };
    const waiting = new Set();
    let asking = 0;
    const askForMore = async () => {
        asking = 0;
        for (const picture of waiting) if (!picture.isConnected) waiting.delete(picture);
        if (!waiting.size) return;
        if (!document.hidden) {
            const ids = [...waiting].map((picture) => picture.dataset.video).slice(-120);
            const { ready } = await library.order('thumbnails', { ids }).catch(() => ({ ready: [] }));
            for (const picture of waiting) {
                if (!ready.includes(picture.dataset.of)) continue;
                waiting.delete(picture);
                show(picture);
            }
        }
        if (waiting.size) asking = setTimeout(askForMore, 800);
    };
    library.thumbnail = (video) => {
        const alt = `Open: ${video.prompt || video.name}`;
        const picture = make('img', { class: 'thumb', alt, loading: 'lazy', decoding: 'async', 'data-of': video.fingerprint, 'data-video': video.id });
        picture.addEventListener('error', () => picture.classList.add('none'));
        if (video.has_thumbnail) {
            show(picture);
        } else if (!video.deleted) {
            picture.classList.add('waiting');
            waiting.add(picture);
            asking = asking || setTimeout(askForMore, 100);
        }
        return picture;
    };

    library.taskName = (task) => (library.words[task] ? library.words[task].tab : task || 'Video');
    library.when = (seconds) => {
        const date = new Date(1000 * seconds);
        const isToday = date.toDateString() === new Date().toDateString();
        return isToday
            ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
            : date.toLocaleDateString([], { day: 'numeric', month: 'short', year: date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric' });
    };
    library.whenFully = (seconds) => new Date(1000 * seconds).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
    library.bytes = (count) => {
        const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
        const step = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3));
        const value = count / 1000 ** step;
        return `${step && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[step]}`;
    };
    library.counted = (count, word) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;

    library.change = (what) => library.listeners.forEach((listener) => listener(what));
    library.star = library.tried(async (video, on) => {
        await library.order('star', { id: video.id, on });
        video.star = on;
        library.change('videos');
    });
    library.remove = library.tried(async (videos, undone = () => {}) => {
        const { done } = await library.order('delete', { ids: videos.map((video) => video.id) });
        if (!done.length) throw new Error('Nothing was deleted; the folder does not allow it, or it is gone already.');
        done.forEach((id) => library.picked.delete(id));
        const undo = { name: 'Undo', run: library.tried(async () => { await library.bringBack(done); await undone(); }) };
        library.say(`Deleted ${library.counted(done.length, 'video')}; kept for a day under “Deleted”.`, undo);
        library.change('videos');
        return done;
    });
    library.bringBack = library.tried(async (ids) => {
        const { done } = await library.order('restore', { ids });
        if (!done.length) throw new Error('It cannot be brought back any more.');
        library.say(`Brought back ${library.counted(done.length, 'video')}.`);
        library.change('videos');
    });

    // Settings go to their tab by what a reload takes: the window's own storage, and the tab's hidden button.
    const soon = (done, triesLeft = 200) => {
        if (!done() && triesLeft) setTimeout(soon, 50, done, triesLeft - 1);
    };
    const openTab = (name) => {
        const tabs = [...document.querySelectorAll('button[role=tab], .overflow-dropdown button')];
        const tab = tabs.find((one) => one.textContent.trim() === name);
        if (tab) tab.click();
        scrollTo({ top: 0 });
    };
    library.openTab = openTab;
    const fill = (found) => {
        const { clip, values } = found;
        if (clip !== null) { // one of that name that is chosen already stays
            const chosen = sessionStorage.getItem(`clip-of-${found.task}`) || '';
            values[0] = clip || (chosen.split(/[\\/]/).pop() === found.lacks ? chosen : '');
            sessionStorage.setItem(`clip-of-${found.task}`, values[0]);
            sessionStorage.setItem(`wants-of-${found.task}`, values[0] ? '' : found.lacks || ''); // see clips.js
            if (!values[0]) found.notes.push(`Its clip “${found.lacks}” has to be chosen again.`);
        }
        sessionStorage.setItem(`form-of-${found.task}`, JSON.stringify(values));
        if (found.run) sessionStorage.setItem(`run-of-${found.task}`, found.run);
        openTab(library.taskName(found.task));
        soon(() => {
            const restore = document.getElementById(`restore-${found.task}`);
            if (restore) restore.click();
            return restore;
        });
    };
    library.use = library.tried(async (video, seed) => {
        const found = await library.ask('form', { id: video.id, seed });
        fill(found);
        library.say(['Its settings are filled in.', ...found.notes].join(' '));
    });
    library.canGoOn = (video) => 'first_frame' in (library.words['text-to-video']?.fields || {}) && !/\.(png|webp)$/i.test(video.name);
    library.goOn = library.tried(async (video) => {
        fill(await library.order('go_on', { id: video.id }));
        soon(() => { // the picture is under a fold
            const fold = document.querySelector('.from-picture .label-wrap');
            if (fold && !fold.classList.contains('open')) fold.click();
            return fold;
        });
        library.say('Its last frame is the first of what you make now. Say what happens next, and press Run.');
    });
    library.again = library.tried(async (video) => {
        const found = await library.order('again', { id: video.id });
        fill(found);
        library.say(['It is being made again, with a new seed.', ...found.notes].join(' '));
    });
}
