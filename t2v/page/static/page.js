() => {
    // Runs once when the page is there. Videos of one tab play in step; uploads are offered clips, and a file
    // dropped on a pane is uploaded; an error below the window's edge is brought into view; a reload opens the
    // tab that was open, and asks for the clips and runs that this window has shown.
    const APART_S = 0.12; // less is not seen, and every jump costs a decode
    const REST_MS = 600; // between two jumps of one video: it needs time to arrive
    const jumped = new WeakMap();
    const visible = (element) => element.offsetParent !== null;

    const follow = (video, leader) => {
        if (video.seeking || video.readyState < 2 || !video.duration) return;
        const goal = leader.currentTime % video.duration;
        const apart = Math.abs(video.currentTime - goal);
        const now = performance.now();
        if (Math.min(apart, video.duration - apart) > APART_S && now - (jumped.get(video) || 0) > REST_MS) {
            video.currentTime = goal;
            jumped.set(video, now);
        }
        if (leader.paused && !video.paused) video.pause();
        if (!leader.paused && video.paused) video.play().catch(() => {});
    };

    const followWithStrip = (strip, leader) => {
        const [motion] = strip.getAnimations();
        if (!motion || !leader.duration) return;
        const round = motion.effect.getComputedTiming().duration;
        const goal = (leader.currentTime * 1000) % round;
        const apart = Math.abs((motion.currentTime % round) - goal);
        if (Math.min(apart, round - apart) > 1000 * APART_S) motion.currentTime = goal;
    };

    const step = () => {
        for (const tab of document.querySelectorAll('.clip-tab')) {
            const videos = [...tab.querySelectorAll('.stage video, .pane video')];
            if (!visible(tab)) {
                videos.forEach((video) => {
                    if (!video.paused) {
                        video.pause();
                        video.dataset.hidden = 'yes';
                    }
                });
                continue;
            }
            // the result leads: it has the controls
            const ready = videos.filter((video) => video.readyState >= 2);
            const leader = ready.find((video) => video.closest('.stage')) || ready[0];
            if (!leader) continue;
            if (leader.dataset.hidden) {
                delete leader.dataset.hidden;
                leader.play().catch(() => {});
            }
            ready.filter((video) => video !== leader).forEach((video) => follow(video, leader));
            tab.querySelectorAll('.stage .strip').forEach((strip) => followWithStrip(strip, leader));
        }
    };
    setInterval(step, 100);

    const told = new WeakSet();
    const showErrors = () => {
        for (const note of document.querySelectorAll('.notes [role=alert]')) {
            if (!visible(note) || told.has(note)) continue;
            told.add(note);
            const { top, bottom } = note.getBoundingClientRect();
            if (top < 0 || bottom > innerHeight) { // also above: a picture is chosen far below Run
                note.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
            }
        }
    };
    setInterval(showErrors, 100);

    const soon = (done, triesLeft = 200) => {
        if (!done() && triesLeft) setTimeout(soon, 50, done, triesLeft - 1);
    };
    // A duplicated window has a copy of what the other one stored, and that one is still open: runs stay its own.
    const ofThisWindow = () => sessionStorage.setItem('open', 'yes');
    if (sessionStorage.getItem('open')) {
        Object.keys(sessionStorage).filter((key) => key.startsWith('run-of-')).forEach((key) => sessionStorage.removeItem(key));
    }
    ofThisWindow();
    addEventListener('pageshow', ofThisWindow);
    addEventListener('pagehide', () => sessionStorage.removeItem('open'));

    const OF_A_TASK = /^(run|clip|form|typed)-of-/;
    const restoreAll = () => {
        const kept = Object.keys(sessionStorage).filter((key) => OF_A_TASK.test(key) && sessionStorage.getItem(key));
        for (const task of new Set(kept.map((key) => key.replace(OF_A_TASK, '')))) {
            soon(() => {
                const restore = document.getElementById(`restore-${task}`);
                if (restore) restore.click();
                return restore;
            });
        }
    };
    restoreAll();

    // Gradio lets no event happen while the server is away, so what is typed then is kept here; the form's own
    // way to be kept takes it away again, and a form that is restored heeds it.
    document.addEventListener('input', (event) => {
        const field = event.target instanceof Element && event.target.closest('[class*="typed-"]');
        if (!field || !event.target.matches('textarea, input[type=text]:not([role=listbox]), input[type=number]')) return;
        const [, task, name] = /\btyped-([\w-]+?)--(\w+)/.exec(field.className);
        const { type, value } = event.target;
        const typed = JSON.parse(sessionStorage.getItem(`typed-of-${task}`) || '{}');
        typed[name] = type === 'number' && value !== '' ? Number(value) : value;
        sessionStorage.setItem(`typed-of-${task}`, JSON.stringify(typed));
    }, true);

    const TABS = 'button[role=tab], .overflow-dropdown button'; // narrow pages fold some of them away
    const tabs = () => [...document.querySelectorAll(TABS)];
    const named = (tab) => tab.textContent.trim();
    const openLast = () => {
        const last = sessionStorage.getItem('tab');
        if (!last) return;
        soon(() => {
            const tab = tabs().find((one) => named(one) === last);
            if (tab) tab.click();
            return tab;
        });
    };
    openLast();
    // Gradio builds the page anew, empty, when a lost server is there again.
    let head = document.querySelector('.top header');
    setInterval(() => {
        const now = document.querySelector('.top header');
        if (!now || now === head) return;
        const isNew = head !== null;
        head = now;
        if (!isNew) return;
        restoreAll();
        openLast();
    }, 200);
    document.addEventListener('click', (event) => {
        const tab = event.target instanceof Element && event.target.closest(TABS);
        if (tab) sessionStorage.setItem('tab', named(tab));
    });

    // Of the files on a disk only clips are offered, or pictures. Any that is chosen or dropped all the same is sent, and
    // refused with a sentence: left to itself, Gradio would show its own, and turn away clips whose kind the
    // browser does not know.
    document.addEventListener('click', (event) => {
        const input = event.target instanceof Element && event.target.closest('.choose-row input[type=file]');
        if (!input) return;
        input.accept = input.closest('.from-picture, .picture-prompt') ? 'image/*, .heic' : 'video/*, .mkv, .avi, .gif';
        input.value = ''; // the same file once more is a change too
    }, true);

    // A number typed beyond a slider's ends stays as it is, and the server tells what is allowed: Gradio would make
    // it the end itself when the field is left, as by pressing Run, and another number would be drawn than typed.
    document.addEventListener('blur', (event) => {
        const field = event.target;
        if (field instanceof Element && field.matches('input[aria-label^="number input for"]')) event.stopPropagation();
    }, true);

    const box = (event) => event.target instanceof Element && event.target.closest('.clip-box');
    document.addEventListener('dragover', (event) => {
        if (box(event)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
        const files = event.dataTransfer && event.dataTransfer.files;
        if (!box(event) || !files || !files.length) return;
        event.preventDefault();
        const input = box(event).closest('.clip-tab').querySelector('.choose-row input[type=file]');
        input.files = files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
    });
}
