() => {
    // A picture that is pressed has its video made; the way back from there shows the pictures again.
    const TASK = 'text-to-video';
    const press = (name) => document.getElementById(`${name}-${TASK}`)?.click();
    document.addEventListener('click', (event) => {
        const pressed = event.target instanceof Element && event.target.closest('button.still, button.back');
        if (!pressed) return;
        if (pressed.classList.contains('still')) {
            window.pickedStill = Number(pressed.dataset.still);
            press('pick');
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

    // What this browser chose last, where this window has no form of its own.
    const recall = (triesLeft = 200) => {
        if (!localStorage.getItem(`choices-of-${TASK}`) || sessionStorage.getItem(`form-of-${TASK}`)) return;
        if (document.getElementById(`recall-${TASK}`)) press('recall');
        else if (triesLeft) setTimeout(recall, 50, triesLeft - 1);
    };
    recall();
}
