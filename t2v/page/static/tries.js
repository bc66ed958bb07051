() => {
    // A picture that is pressed has its video made; the way back from there shows the pictures again.
    const TASK = 'text-to-video';
    const press = (name) => document.getElementById(`${name}-${TASK}`)?.click();
    document.addEventListener('click', (event) => {
        const pressed = event.target instanceof Element && event.target.closest('button.still, button.back, button.save-stills');
        if (!pressed) return;
        if (pressed.classList.contains('still')) {
            window.pickedStill = Number(pressed.dataset.still);
            press('pick');
        } else if (pressed.classList.contains('save-stills')) {
            press('save-stills');
        } else {
            sessionStorage.setItem(`run-of-${TASK}`, pressed.dataset.run);
            press('restore');
        }
    });

    // One's own presets, beside the others, each with a way to delete it.
    const OWN = `presets-of-${TASK}`;
    const own = () => {
        try {
            return JSON.parse(localStorage.getItem(OWN)) || {};
        } catch {
            return {}; // somebody else's, or none may be kept here
        }
    };
    const made = (kind, name, text, label) => {
        const button = document.createElement('button');
        Object.assign(button, { type: 'button', className: kind, textContent: text });
        button.dataset.name = name;
        if (label) button.setAttribute('aria-label', label);
        return button;
    };
    const showOwn = () => {
        const box = document.querySelector('.own-presets'), names = Object.keys(own());
        if (!box || box.dataset.names === JSON.stringify(names)) return;
        box.dataset.names = JSON.stringify(names);
        box.replaceChildren(...names.map((name) => {
            const both = document.createElement('span');
            both.append(made('own-use', name, name), made('own-gone', name, '×', `Delete the preset ${name}`));
            return both;
        }));
    };
    setInterval(showOwn, 300);
    document.addEventListener('click', (event) => {
        const pressed = event.target instanceof Element && event.target.closest('button.own-use, button.own-gone');
        if (!pressed) return;
        if (pressed.classList.contains('own-use')) {
            window.ownPreset = pressed.dataset.name;
            press('use-own');
        } else {
            const kept = own();
            delete kept[pressed.dataset.name];
            localStorage.setItem(OWN, JSON.stringify(kept));
            showOwn();
        }
    });

    // What this browser chose last, where this window has no form of its own. A page that is being built changes
    // its fields by itself: so it is asked for more than once, and nothing is remembered before somebody does something.
    window.touched = false;
    for (const kind of ['input', 'click', 'keydown']) {
        addEventListener(kind, (event) => { window.touched = window.touched || event.isTrusted; }, true);
    }
    if (localStorage.getItem(`choices-of-${TASK}`) && !sessionStorage.getItem(`form-of-${TASK}`)) {
        const ask = (often) => {
            if (window.touched || !often) return;
            const is_there = document.getElementById(`recall-${TASK}`);
            if (is_there) press('recall');
            setTimeout(ask, is_there ? 700 : 100, is_there ? often - 1 : often);
        };
        ask(4);
    }
}
