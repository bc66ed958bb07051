() => {
    // Runs once when the page is there. The part of a clip that is taken: handles over its pictures, which follow
    // the form's Start and End, and set them; a clip of one tab used in another; how long a run takes, asked for
    // until it is known.
    const press = (id) => {
        const button = document.getElementById(id);
        if (button) button.click();
        return Boolean(button);
    };
    const typed = {}; // task -> Start and End as the form has them
    const seconds = (value) => `${+value.toFixed(value < 10 ? 2 : 1)}\u00a0s`;
    const handles = (part) => [part.querySelector('.from'), part.querySelector('.to')];
    const length = (part) => Number(part.dataset.length);
    const step = (part) => (length(part) > 120 ? 1 : length(part) > 20 ? 0.25 : 0.05);

    const draw = (part) => {
        const [from, to] = handles(part);
        const whole = length(part) || 1;
        const [start, end] = [Number(from.value), Number(to.value)];
        part.style.setProperty('--from', `${(100 * start) / whole}%`);
        part.style.setProperty('--to', `${(100 * end) / whole}%`);
        part.querySelector('.part-told').textContent = `${seconds(start)} to ${seconds(end)} of ${seconds(whole)}`;
        from.setAttribute('aria-valuetext', seconds(start));
        to.setAttribute('aria-valuetext', seconds(end));
        from.style.zIndex = start > whole / 2 ? 3 : 2; // of two handles at one place the one that can move is on top
    };
    const place = (part) => {
        const { start, end } = typed[part.dataset.task] || {};
        const [from, to] = handles(part);
        if (!from || document.activeElement === from || document.activeElement === to) {
            if (!from || part.dataset.moving) return;
        }
        const whole = length(part);
        const number = (text, otherwise) => (String(text ?? '').trim() === '' || !Number.isFinite(Number(text)) ? otherwise : Number(text));
        from.value = Math.min(whole, Math.max(0, number(start, 0)));
        to.value = Math.min(whole, Math.max(0, number(end, whole)));
        draw(part);
    };
    const move = (part, handle, wanted) => {
        const [from, to] = handles(part);
        const whole = length(part);
        const least = Math.min(step(part), whole);
        const snapped = wanted >= whole - step(part) / 2 ? whole : Math.round(wanted / step(part)) * step(part);
        handle.value = handle === from ? Math.min(Math.max(0, snapped), Number(to.value) - least) : Math.max(Math.min(whole, snapped), Number(from.value) + least);
        draw(part);
    };
    const take = (part) => {
        const [from, to] = handles(part);
        const whole = length(part);
        const text = (value) => String(+Number(value).toFixed(2));
        const start = Number(from.value) < 0.005 ? '' : text(from.value);
        const end = Number(to.value) > whole - 0.005 ? '' : text(to.value);
        window.partTaken = [start, end];
        typed[part.dataset.task] = { start, end };
        press(`trim-${part.dataset.task}`);
    };

    document.addEventListener('part-typed', (event) => {
        typed[event.detail.task] = event.detail;
        document.querySelectorAll(`.part[data-task="${event.detail.task}"]`).forEach(place);
    });
    const partOf = (event) => event.target instanceof Element && event.target.matches('.film input') && event.target.closest('.part');
    document.addEventListener('input', (event) => {
        const part = partOf(event);
        if (!part) return;
        part.dataset.moving = 'yes';
        move(part, event.target, Number(event.target.value));
    });
    document.addEventListener('change', (event) => {
        const part = partOf(event);
        if (!part) return;
        delete part.dataset.moving;
        take(part);
    });
    const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    let soon = null;
    document.addEventListener('keydown', (event) => {
        const part = partOf(event);
        if (!part || event.ctrlKey || event.metaKey || event.altKey) return;
        const [from] = handles(part);
        const ends = { Home: 0, End: length(part) };
        if (!(event.key in STEPS) && !(event.key in ends)) return;
        event.preventDefault(); // the browser's own step of a range without steps is a hundredth of it
        const now = Number(event.target.value);
        move(part, event.target, event.key in ends ? ends[event.key] : now + STEPS[event.key] * step(part));
        part.dataset.moving = 'yes';
        clearTimeout(soon); // a key held down is one change
        soon = setTimeout(() => {
            delete part.dataset.moving;
            take(part);
        }, 350);
    });

    // One clip for all tabs
    const TABS = 'button[role=tab], .overflow-dropdown button';
    let goesTo = null;
    document.addEventListener('click', (event) => {
        const button = event.target instanceof Element && event.target.closest('[data-use-in], [data-use-from]');
        if (!button) return;
        const dropped = button.closest('[data-own-clip]');
        if (dropped) { // on the page, and no tab has it yet
            goesTo = { task: button.dataset.useIn, tab: button.dataset.tab };
            window.clipInHand = { clip: dropped.dataset.ownClip, prompt: '', part: ['', '', '', ''], says: '' };
            document.dispatchEvent(new Event('clip-given'));
            return;
        }
        const own = button.closest('.clip-tab').querySelector('.part').dataset.task;
        const from = button.dataset.useFrom || own;
        goesTo = { task: button.dataset.useIn || own, tab: button.dataset.tab };
        press(`give-clip-${from}`);
    });
    document.addEventListener('click', (event) => {
        const button = event.target instanceof Element && event.target.closest('[data-fetch]');
        if (!button) return;
        button.disabled = true;
        press(`fetch-${button.closest('.clip-tab').querySelector('.part').dataset.task}`);
    });
    document.addEventListener('clip-given', () => {
        if (!goesTo) return;
        const { task, tab } = goesTo;
        goesTo = null;
        press(`take-clip-${task}`);
        const shown = [...document.querySelectorAll(TABS)].find((one) => one.textContent.trim() === tab);
        if (shown) shown.click();
    });
    // A tab without a clip offers the one that was chosen elsewhere.
    const named = (path) => path.split(/[\\/]/).pop();
    const offer = (part) => {
        const place = part.querySelector('.use-from');
        if (!place) return;
        const has = JSON.parse(part.dataset.others || '[]').find((task) => sessionStorage.getItem(`clip-of-${task}`));
        const own = sessionStorage.getItem(`clip-of-${part.dataset.task}`);
        const name = has && !own ? named(sessionStorage.getItem(`clip-of-${has}`)) : '';
        // settings that were filled in are of a certain clip: another one is a choice
        const wanted = sessionStorage.getItem(`wants-of-${part.dataset.task}`);
        if (own && wanted) sessionStorage.removeItem(`wants-of-${part.dataset.task}`);
        const text = wanted && wanted !== name ? `Use ${name} instead of ${wanted}` : `Use ${name}`;
        if (place.dataset.name === (name && text)) return;
        place.dataset.name = name && text;
        place.replaceChildren();
        if (!name) return;
        const button = document.createElement('button');
        button.type = 'button';
        button.dataset.useFrom = has;
        button.textContent = text;
        place.append(button);
    };

    setInterval(() => {
        for (const part of document.querySelectorAll('.part')) {
            if (part.offsetParent === null) continue;
            if (!part.dataset.live && part.querySelector('.from')) {
                part.dataset.live = 'yes';
                place(part);
            }
            offer(part);
        }
    }, 150);
    setInterval(() => {
        for (const plan of document.querySelectorAll('.plan[data-timed]')) {
            const part = plan.offsetParent && plan.closest('.clip-tab').querySelector('.part');
            if (part) press(`plan-${part.dataset.task}`);
        }
    }, 1000);
}
