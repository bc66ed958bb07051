() => {
    // Runs before Gradio does. Gradio lets the browser watch every part of its configuration for changes, which
    // nothing of it ever does here, and then looks through all that may happen on the page for each of its parts,
    // twice, and through all parts for each thing that may happen, twice: seconds for a page of this size.
    const config = window.gradio_config;

    // lists of a class of their own are left unwatched; what is made of such a list is one, too
    class Unwatched extends Array {}
    Object.setPrototypeOf(config.dependencies, Unwatched.prototype);

    for (const one of config.dependencies) {
        // what follows upon something else is known by that; as happening to no part it would be looked for in vain
        one.targets = one.targets.filter(([part]) => part !== null);
        // progress that is not shown need not be told to any part
        if (one.show_progress === 'hidden') one.show_progress_on = [];
    }

    // the fields of endpoints for programs, which nobody sees
    const ofPrograms = new Set(config.components.filter((one) => one.type === 'api').map((one) => one.id));
    const lighten = (node) => {
        if (!node.children) return;
        node.children = node.children.filter((one) => !ofPrograms.has(one.id));
        node.children.forEach(lighten);
    };
    for (const page of Object.values(config.page)) {
        lighten(page.layout);
        page.components = page.components?.filter((id) => !ofPrograms.has(id));
    }
}
