"""What the browser does around a run, beside the files of ``static``."""

# Which run of the list, and whether it is to be taken out of the queue
TAKE_SETTINGS_OF = "() => [window.settingsOf || '']"

# The run of the list that is to be shown, beside the note.
TAKE_SHOWN = "(id, note) => [window.shownRun || '', note]"

# The form's values in. Gradio lets nothing happen while the server is away; what is typed then page.js keeps.
KEEP_FORM = """(...values) => {{
    sessionStorage.setItem('form-of-{task}', JSON.stringify(values));
    sessionStorage.removeItem('typed-of-{task}');
}}"""

# The id of the run that this window showed. The form is looked up at once: the run's own values, which come
# first, are changes that are kept as well.
RECALL = """() => {{
    const kept = ['form-of-{task}', 'typed-of-{task}'].map((key) => sessionStorage.getItem(key));
    window.keptOf = {{ ...window.keptOf, '{task}': kept }};
    return [sessionStorage.getItem('run-of-{task}') || ''];
}}"""

# The form's values in, and those out that this window kept: the same where it kept none.
TYPED_AGAIN = """(...values) => {{
    const [form, late] = window.keptOf['{task}'];
    const [kept, typed] = [JSON.parse(form || '[]'), JSON.parse(late || '{{}}')];
    const found = kept.length === values.length ? kept : values;
    return found.map((value, place) => typed[{names}[place]] ?? value);
}}"""

# What is shown of a video that is done, by its run's id: a server that starts anew does not know the run.
KEEP_SHOWN = """(id, ...shown) => {{
    const isDone = id && / data-state="done"/.test(shown[0]);
    if (isDone) sessionStorage.setItem('shown-of-{task}', JSON.stringify([id, shown]));
}}"""
SHOWN_AGAIN = """(id, note, ...shown) => {{
    const [of, kept] = JSON.parse(sessionStorage.getItem('shown-of-{task}') || '[]');
    return !id && of && of === sessionStorage.getItem('run-of-{task}') ? ['', ...kept] : [note, ...shown];
}}"""

# Run may be pressed from far below or above: the stage and the line below it come into view; where they are
# so already the page stays as it is.
SHOW_STAGE = """() => {
    const shown = (selector) => [...document.querySelectorAll(selector)].find((one) => one.offsetParent);
    const show = (triesLeft) => {
        const [stage, status] = [shown('.stage'), shown('.status')];
        if (!status && triesLeft) setTimeout(show, 100, triesLeft - 1);
        if (!status) return;
        const isAbove = stage && stage.getBoundingClientRect().top < 0;
        (isAbove ? stage : status).scrollIntoView({ block: 'nearest', behavior: 'smooth' });
    };
    show(20);
}"""

# Some time after the last of several changes a hidden button is pressed, which asks the server once.
SOON = """() => {{
    window.soon = window.soon || {{}};
    clearTimeout(window.soon['{id}']);
    window.soon['{id}'] = setTimeout(() => document.getElementById('{id}')?.click(), {after_ms});
}}"""

# Run says what there is to say: a note on what was typed just before would come too late, and over it.
NOT_SOON = """(...given) => {{
    clearTimeout(window.soon?.['{id}']);
    return given;
}}"""

# What each change of a form leads to in the browser, in one: each event listened to costs the page time.
CHANGED = """(note, ...values) => {{
    ({keep})(...values);
    ({ask})();
    return ({note})(note);
}}"""
