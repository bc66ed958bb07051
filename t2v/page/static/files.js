() => {
    // Runs once when the page is there. A file of ours that is dropped anywhere opens its settings; the places
    // for clips keep their own drop.
    const OURS = 'video/*, image/gif, image/webp, image/png, .zip, application/zip, .json, application/json';
    const button = () => document.querySelector('.open-row input[type=file]');
    const isOurs = (event) => {
        const types = event.dataTransfer ? [...event.dataTransfer.types] : [];
        const taken = event.target instanceof Element && event.target.closest('.clip-tab .clip-box, input[type=file]');
        return types.includes('Files') && !taken && button();
    };
    const mark = (isOn) => document.body.classList.toggle('drop-here', Boolean(isOn));

    let last = null; // what the file is above: leaving one thing is entering another
    document.addEventListener('dragenter', (event) => {
        last = event.target;
        mark(isOurs(event));
    });
    document.addEventListener('dragleave', (event) => {
        if (event.target === last) mark(false);
    });
    document.addEventListener('dragover', (event) => {
        if (isOurs(event)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => {
        mark(false);
        const files = event.dataTransfer && event.dataTransfer.files;
        if (!isOurs(event) || !files || !files.length) return;
        event.preventDefault();
        const one = new DataTransfer();
        one.items.add(files[0]);
        button().files = one.files;
        button().dispatchEvent(new Event('change', { bubbles: true }));
    });
    document.addEventListener('click', (event) => {
        const input = event.target instanceof Element && event.target.closest('.open-row input[type=file]');
        if (input) {
            input.accept = OURS;
            input.value = ''; // the same file once more is a change too
        }
    }, true);
}
