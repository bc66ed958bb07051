() => {
    // Runs once when the page is there. The list of one's runs is asked for often while one is drawn and seldom
    // otherwise; its buttons are pressed here, and the title and the notifications are made of what it tells.
    const BUSY_MS = 1500, IDLE_MS = 10000, UNSEEN_TIMES = 2;
    const NAME = document.title;
    const TABS = 'button[role=tab], .overflow-dropdown button'; // narrow pages fold some of them away
    const list = () => document.querySelector('.runs');
    const press = (id) => {
        const button = document.getElementById(id);
        if (button) button.click();
        return Boolean(button);
    };
    const told = () => JSON.parse(list()?.dataset.runs || '[]');
    const underWay = (run) => run.state === 'running' || run.state === 'queued';

    let timer = 0;
    const again = () => {
        clearTimeout(timer);
        const wait = (told().some(underWay) ? BUSY_MS : IDLE_MS) * (document.hidden ? UNSEEN_TIMES : 1);
        timer = setTimeout(refresh, wait);
    };
    const refresh = () => {
        if (press('runs-refresh')) again();
        else timer = setTimeout(refresh, 200); // the page is not there yet, or is being built anew
    };
    refresh();
    document.addEventListener('visibilitychange', () => {
        if (document.hidden) return;
        if (!told().some(underWay)) document.title = NAME; // what had ended was seen
        refresh();
    });
    document.addEventListener('runs-changed', refresh);

    // The title, and a notification for a run that has ended while nobody looked at the page.
    const KEY = 'tell-me-when-done';
    const wished = () => localStorage.getItem(KEY) === 'yes' && window.Notification && Notification.permission === 'granted';
    const before = new Map(); // run -> its state, also while Gradio has taken the old list away
    const tell = () => {
        const runs = told();
        const drawn = runs.find((run) => run.state === 'running') || runs.find((run) => run.state === 'queued');
        const ended = runs.filter((run) => !underWay(run) && underWay({ state: before.get(run.id) }));
        if (drawn) document.title = `${drawn.title} — ${NAME}`;
        else if (ended.length) document.title = `${ended[0].title} — ${NAME}`;
        if (document.hidden && wished()) {
            ended.filter((run) => run.state !== 'stopped').forEach((run) => new Notification(run.title, { tag: run.id }));
        }
        runs.forEach((run) => before.set(run.id, run.state));
        const tick = document.querySelector('.runs .tell-me');
        if (tick) tick.checked = wished();
    };

    // A new list may be another element: whoever had the keyboard on one of its buttons keeps it there.
    let focused = '';
    const selectorOf = (field) => {
        const row = field.closest('li');
        const which = field.dataset.act ? `[data-act="${field.dataset.act}"]` : '.tell-me';
        return `${row ? `.runs li[data-id="${row.dataset.id}"] ` : '.runs '}${which}`;
    };
    document.addEventListener('focusin', (event) => {
        const field = event.target instanceof Element && event.target.closest('.runs [data-act], .runs .tell-me');
        focused = field ? selectorOf(field) : '';
    });
    document.addEventListener('pointerdown', () => { focused = ''; });
    let shown = null, about = '';
    const look = () => {
        const now = list()?.dataset.runs || '';
        if (list() === shown && now === about) return;
        [shown, about] = [list(), now];
        tell();
        again();
        goOn();
        if (focused && document.activeElement === document.body) document.querySelector(focused)?.focus({ preventScroll: true });
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, attributeFilter: ['data-runs'] });

    // What a tab shows goes on with the next of one's runs when it has ended, unless another was chosen by Show.
    const chosen = new Map(); // task -> run
    const show = (id, task) => {
        window.shownRun = id;
        press(`show-${task}`);
    };
    const toView = (what, block) => {
        const there = [...document.querySelectorAll(what)].find((one) => one.offsetParent);
        if (there) there.scrollIntoView({ block, behavior: 'smooth' });
    };
    const goOn = () => {
        const drawn = list()?.querySelector('li[data-state=running]');
        if (!drawn) return;
        const { id, task } = drawn.dataset;
        const now = sessionStorage.getItem(`run-of-${task}`); // nothing where this window has run nothing yet
        const has = told().find((run) => run.id === now);
        if (now && now !== id && chosen.get(task) !== now && !(has && underWay(has))) show(id, task);
    };

    const openTab = (name) => [...document.querySelectorAll(TABS)].find((tab) => tab.textContent.trim() === name)?.click();
    const inTab = {
        open: (id, task) => {
            chosen.set(task, id);
            show(id, task);
            setTimeout(() => toView('.stage', 'nearest'), 300); // its tab may have to open first
        },
        use: (id, task, what) => {
            sessionStorage.removeItem(`clip-of-${task}`);
            window.settingsOf = `${what} ${id}`;
            press(`fill-${task}`);
            setTimeout(refresh, 500);
            setTimeout(() => toView('.run-row', 'center'), 300);
            if (what === 'use') window.t2vLibrary?.say('Its settings are filled in.');
        },
    };
    document.addEventListener('click', (event) => {
        const button = event.target instanceof Element && event.target.closest('.runs [data-act]');
        if (!button) return;
        const what = button.dataset.act;
        const { id, task, tab } = button.closest('li')?.dataset || {};
        if (['open', 'use', 'edit'].includes(what)) {
            openTab(tab);
            (what === 'open' ? inTab.open : inTab.use)(id, task, what);
            return;
        }
        window.runsAct = `${what} ${id || ''}`.trim();
        press('runs-act');
    });

    document.addEventListener('click', (event) => { // in the note of a run that was added
        if (!(event.target instanceof Element && event.target.closest('.show-runs'))) return;
        list()?.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
        list()?.querySelector('li[data-state=queued] button:enabled')?.focus({ preventScroll: true });
    });

    document.addEventListener('change', async (event) => {
        const tick = event.target instanceof Element && event.target.closest('.runs .tell-me');
        if (!tick) return;
        const is = tick.checked && window.Notification && (await Notification.requestPermission()) === 'granted';
        localStorage.setItem(KEY, is ? 'yes' : 'no');
        tell();
    });
}
