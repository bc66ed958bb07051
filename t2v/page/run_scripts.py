"""What the browser does around a run, beside the files of ``static``."""

# Which run of the list, and whether it is to be taken out of the queue
TAKE_SETTINGS_OF = "() => [window.settingsOf || '']"

# The form's values in, and those out that this window kept: the same where it kept none.
TYPED_AGAIN = """(...values) => {{
    const kept = JSON.parse(sessionStorage.getItem('{key}') || '[]');
    return kept.length === values.length ? kept : values;
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

# What each change of a form leads to in the browser, in one: each event listened to costs the page time.
CHANGED = """(note, ...values) => {{
    ({keep})(...values);
    ({ask})();
    return ({note})(note);
}}"""
