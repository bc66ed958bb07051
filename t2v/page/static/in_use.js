() => {
    // What else than the prompt is in use, in a line below Run; a press takes a thing out of the form.
    const named = (text) => `“${text.length > 30 ? `${text.slice(0, 30)} …` : text}”`;

    // [what it is called, the fields that are emptied; of pictures, which have buttons of their own, which it is]
    const found = (form) => {
        const things = [];
        if (form.motion) things.push(['a drawn motion', 'motion painted']);
        else if (form.painted) things.push(['a painted subject', 'painted']);
        const ways = [[form.motion_x, 'to the right'], [form.motion_y, 'downwards']].filter(([pixels]) => pixels);
        if (!form.motion && ways.length) things.push([`a motion of ${ways.map((way) => way.join(' ')).join(', ')}`, 'motion_x motion_y']);
        if (form.first_frame) things.push(['a start picture', 'picture']);
        if (form.picture_prompt) things.push(['a picture as a prompt', 'prompt-picture']);
        if (form.subject) things.push([`the subject ${named(form.subject)}`, 'subject']);
        if (form.action) things.push([form.action === 'none' ? 'no action' : `the action ${named(form.action)}`, 'action']);
        return things;
    };

    const show = (line, things) => {
        line.replaceChildren();
        if (things.length) line.append('In use: ');
        for (const [name, fields] of things) {
            const button = document.createElement('button');
            Object.assign(button, { type: 'button', textContent: `${name} ×`, title: 'Take it out' });
            button.setAttribute('aria-label', `Take out ${name}`);
            button.addEventListener('click', () => {
                window.takesOut = fields;
                document.getElementById(`${fields.endsWith('picture') ? `drop-${fields}` : 'take-out'}-${line.dataset.task}`)?.click();
            });
            line.append(button);
        }
    };

    // A note on a figure that does not act, as something else moves: its button makes the choice.
    document.addEventListener('click', (event) => {
        const button = event.target instanceof Element && event.target.closest('[data-choose-move]');
        if (button) document.querySelector(`.what-moves input[value="${button.dataset.chooseMove}"]`)?.click();
    });

    // While somebody draws on the page the line waits: it moves what lies below it.
    let isHeld = false;
    document.addEventListener('pointerdown', () => { isHeld = true; }, true);
    for (const name of ['pointerup', 'pointercancel']) document.addEventListener(name, () => { isHeld = false; }, true);

    setInterval(() => isHeld || document.querySelectorAll('.in-use[data-names]').forEach((line) => {
        const kept = sessionStorage.getItem(`form-of-${line.dataset.task}`) || '[]';
        if (line.kept === kept) return;
        line.kept = kept;
        const values = JSON.parse(kept), names = JSON.parse(line.dataset.names);
        const things = found(values.length === names.length ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : {});
        const told = JSON.stringify(things);
        if (line.told === told) return;
        line.told = told;
        show(line, things);
    }), 250);
}
