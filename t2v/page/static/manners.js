() => {
    // Runs once when the page is there: shows it when it is whole, and gives the keys that hold for every tab.
    const visible = (element) => Boolean(element) && element.getClientRects().length > 0;
    const seen = (selector) => [...document.querySelectorAll(selector)].find(visible);

    // The page is whole when its height has stood still for a while.
    const EVERY_MS = 60, STILL_TIMES = 4, MOST_TIMES = 60;
    const whole = (times, before, still) => {
        const main = document.querySelector('.gradio-container .contain');
        const now = main && document.querySelector('.run-row button.run') ? main.getBoundingClientRect().height : 0;
        const stands = now > 0 && now === before ? still + 1 : 0;
        if (stands < STILL_TIMES && times) {
            setTimeout(whole, EVERY_MS, times - 1, now, stands);
            return;
        }
        document.body.classList.add('is-whole');
        const prompt = seen('.prompt textarea, .prompt input'); // what is hidden cannot have the keyboard
        if (prompt && prompt.autofocus && document.activeElement === document.body) prompt.focus({ preventScroll: true });
    };
    whole(MOST_TIMES, -1, 0);

    // On a phone the place of the result opens when Run is pressed, not when the server has answered.
    document.addEventListener('click', (event) => {
        const button = event.target instanceof Element && event.target.closest('.run-row button, .tries button, .runs [data-act]');
        if (button && !button.matches('.stop')) document.querySelectorAll('.text-tab').forEach((tab) => tab.classList.add('has-run'));
    }, true);
    document.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && event.target instanceof Element && event.target.closest('.prompt')) {
            document.querySelectorAll('.text-tab').forEach((tab) => tab.classList.add('has-run'));
        }
    }, true);

    const KEYS = [
        [['Ctrl', 'Enter'], 'Run what the tab says, also from inside of the prompt'],
        [['Enter'], 'in the prompt: the same'],
        [['Esc'], 'Stop the run that this tab shows; close what lies over the page'],
        [['←', '→'], 'in an opened video: a newer one, an older one'],
        [['?'], 'This list'],
    ];
    const part = (tag, text = '', ...inside) => {
        const one = document.createElement(tag);
        one.append(text, ...inside);
        return one;
    };
    let dialog = null;
    const showKeys = () => {
        if (!dialog || !dialog.isConnected) {
            const close = part('button', '×');
            close.className = 'close';
            close.setAttribute('aria-label', 'Close');
            const rows = KEYS.flatMap(([keys, what]) => {
                const named = keys.flatMap((key, place) => (place && keys[0] === 'Ctrl' ? [' + ', part('kbd', key)] : [' ', part('kbd', key)]));
                return [part('dt', '', ...named), part('dd', what)];
            });
            dialog = part('dialog', '', close, part('h2', 'Keys'), part('dl', '', ...rows));
            dialog.className = 'library-dialog keys-dialog';
            dialog.setAttribute('aria-label', 'Keys');
            close.onclick = () => dialog.close();
            dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
            document.querySelector('.gradio-container .contain').append(dialog); // see "A new tab" in CONTRIBUTING
        }
        if (!dialog.open) dialog.showModal();
    };

    const TYPED = 'input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=file]), textarea, select, [contenteditable=true]';
    const isOver = () => document.querySelector('dialog[open]') || seen('[role=listbox], .overflow-dropdown') || document.fullscreenElement;
    document.addEventListener('keydown', (event) => {
        if (event.isComposing || event.repeat || !(event.target instanceof Element)) return;
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.altKey && !document.querySelector('dialog[open]')) {
            const run = seen('.run-row button.run');
            if (!run) return;
            event.preventDefault(); // Gradio's own would run it once more
            event.stopPropagation();
            run.click();
        } else if (event.key === 'Escape' && !isOver() && !event.target.matches('input[type=search]')) {
            const stop = seen('.run-row button.stop:enabled');
            if (stop) stop.click();
        } else if (event.key === '?' && !event.target.closest(TYPED) && !document.querySelector('dialog[open]')) {
            event.preventDefault();
            showKeys();
        }
    }, true);

    // Whoever rests on a button, or has it read out, hears of its key. And choices that exclude one another are one
    // group to the keyboard, which Gradio makes of each its own.
    setInterval(() => {
        document.querySelectorAll('fieldset:has(input[type=radio])').forEach((group) => {
            const [first, ...others] = group.querySelectorAll('input[type=radio]');
            others.filter((one) => one.name !== first.name).forEach((one) => { one.name = first.name; });
        });
        for (const [kind, shortcut, told] of [['run', 'Control+Enter', 'Ctrl + Enter'], ['stop', 'Escape', 'Ends the run: what is drawn so far makes no video. Esc']]) {
            document.querySelectorAll(`.run-row button.${kind}:not([aria-keyshortcuts])`).forEach((button) => {
                button.setAttribute('aria-keyshortcuts', shortcut);
                button.title = `${told} (? lists all keys)`;
            });
        }
    }, 500);
}
