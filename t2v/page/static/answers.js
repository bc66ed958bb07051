() => {
    // Runs once when the page is there. What the server answers is watched: a request that fails is told at the
    // page's foot, where a failed one used to leave a button that did nothing, until one of its kind succeeds.
    const KEPT = 'What you typed is kept.';
    const SENTENCES = {
        401: `You are signed out, perhaps because the server was started again. Reload the page to sign in. ${KEPT}`,
        404: `The server does not know this page any more. Reload it. ${KEPT}`,
        413: 'This is too large for the server; send a shorter clip.',
        500: 'The server failed to answer this. Try again; its log says more.',
    };
    const NO_CONNECTION = `There is no connection to the server. Try again in a moment. ${KEPT}`;
    const LOST = `There is no connection to the server; this page comes back by itself when it answers again. ${KEPT}`;
    const GONE = 'This video is not among your videos here any more. Run it again to have it back.';
    const WATCHED = /\/gradio_api\/(queue\/join|queue\/data|run\/|call\/|upload)|\/login_check/;

    const foot = document.createElement('div');
    foot.className = 'answers';
    document.querySelector('.gradio-container').append(foot);

    const tell = (about, sentence) => {
        if ([...foot.children].some((one) => one.dataset.about === about && one.textContent === sentence)) return;
        hush(about);
        const note = document.createElement('div');
        note.className = 'note';
        note.dataset.kind = 'error';
        note.dataset.about = about;
        note.setAttribute('role', 'alert');
        note.textContent = sentence;
        foot.append(note);
    };
    const hush = (about) => [...foot.children].filter((one) => one.dataset.about === about).forEach((one) => one.remove());

    const sentenceOf = async (answer) => {
        if (SENTENCES[answer.status]) return SENTENCES[answer.status];
        const given = await answer.clone().json().catch(() => null);
        if (given && typeof given.detail === 'string') return given.detail;
        return answer.status < 500
            ? `The server refuses this (${answer.status}). Reload the page. ${KEPT}`
            : `The server, or what stands before it, does not answer (${answer.status}). Try again in a moment. ${KEPT}`;
    };
    const heard = async (about, answer) => (answer.ok ? hush(about) : tell(about, await sentenceOf(answer)));

    const plainFetch = window.fetch.bind(window);
    window.fetch = async (resource, options) => {
        const address = String(resource instanceof Request ? resource.url : resource);
        const [about] = WATCHED.exec(address) || [];
        try {
            const answer = await plainFetch(resource, options);
            if (about) heard('request', answer);
            return answer;
        } catch (error) {
            if (about && error.name !== 'AbortError') tell('request', NO_CONNECTION);
            throw error;
        }
    };
    const open = XMLHttpRequest.prototype.open; // uploads
    XMLHttpRequest.prototype.open = function (method, address, ...rest) {
        if (WATCHED.test(String(address))) {
            this.addEventListener('load', () => heard('request', new Response(this.responseText, { status: this.status })));
            this.addEventListener('error', () => tell('request', NO_CONNECTION));
        }
        return open.call(this, method, address, ...rest);
    };
    if (window.EventSource) { // a run that is followed
        const Plain = window.EventSource;
        window.EventSource = class extends Plain {
            constructor(address, options) {
                super(address, options);
                if (!WATCHED.test(String(address))) return;
                this.addEventListener('open', () => hush('request'));
                this.addEventListener('error', () => tell('request', NO_CONNECTION));
            }
        };
    }

    // Gradio says so too, in words of its own: once is enough.
    new MutationObserver(() => {
        for (const toast of document.querySelectorAll('.toast-body.error:not([hidden])')) {
            if (!/connection (to the server was )?lost/i.test(toast.textContent)) continue;
            toast.hidden = true;
            toast.style.display = 'none';
            tell('request', LOST);
        }
    }).observe(document.body, { childList: true, subtree: true });

    const check = async (address) => {
        const answer = await plainFetch(address, { method: 'HEAD' }).catch(() => null);
        if (answer && answer.status === 404) tell('video', GONE);
        else if (answer && answer.ok) hush('video');
    };
    document.addEventListener('error', (event) => {
        const video = event.target instanceof Element && event.target.closest('.stage video');
        if (video) check(video.src);
    }, true);
    document.addEventListener('loadeddata', (event) => {
        if (event.target.closest('.stage')) hush('video');
    }, true);
    document.addEventListener('click', (event) => {
        const link = event.target instanceof Element && event.target.closest('a.download');
        if (link) check(link.href);
    });
}
