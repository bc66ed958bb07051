() => {
    // What the motion editor reads of the tab it stands in, and writes there.
    class Form {
        constructor(tab) { this.tab = tab; }

        field(kind) { return this.tab.querySelector(`.${kind} textarea, .${kind} input`); }

        // what stands in a field for a number, found by its label; ``otherwise`` where it is empty or not there
        number(label, otherwise) {
            const labels = [...this.tab.querySelectorAll('label')];
            const named = labels.find((one) => [...one.querySelectorAll('span')].some((span) => span.textContent.trim() === label));
            const field = this.tab.querySelector(`input[aria-label="number input for ${label}"]`)
                || (named && named.querySelector('input, textarea'));
            const value = field ? Number(field.value) : 0;
            return value > 0 ? value : otherwise;
        }

        // All that the sketch depends on; null before the form is there.
        read() {
            const [text, painted] = ['motion-text', 'painted-text'].map((kind) => this.field(kind));
            if (!text || !painted) return null;
            const picture = this.picture();
            const side = (name, label, otherwise) => (picture && Number(getComputedStyle(picture).getPropertyValue(name))) || this.number(label, otherwise);
            const width = side('--w', 'Width', 256);
            const chosen = this.tab.querySelector('.what-moves input:checked');
            return { text: text.value, painted: painted.value, picture, width, height: side('--h', 'Height', width),
                count: Math.max(1, this.number('Frames', 8)), isOther: this.isOther(),
                outlines: (!this.isOther() && picture && picture.dataset.outlines) || '[]', // of another prompt they tell nothing
                move: chosen ? chosen.value : 'camera', moveLabel: chosen ? chosen.closest('label').textContent.trim() : 'What moves' };
        }

        // What the stage shows: a video, or a first frame alone; of several pictures none is meant.
        picture() {
            const stills = this.tab.querySelectorAll('.stage .still');
            return this.tab.querySelector('.stage .picture') || (stills.length === 1 ? stills[0] : null);
        }

        // Whether what the stage shows was drawn of another prompt than the one that is typed.
        isOther() {
            const caption = this.tab.querySelector('.caption p'), prompt = this.tab.querySelector('.prompt textarea, .prompt input');
            if (!this.picture() || !caption || !prompt) return false;
            const words = (text) => text.trim().replace(/\s+/g, ' ');
            return words(prompt.value) !== '' && words(caption.textContent) !== `“${words(prompt.value)}”`;
        }

        // Gradio hears of a value only by the event of one who types.
        set(kind, value) {
            const field = this.field(kind);
            if (field.value !== value) this.write(field, value);
        }

        write(field, value) {
            Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value').set.call(field, value);
            field.dispatchEvent(new Event('input', { bubbles: true }));
        }

        // A path belongs to the picture that it was drawn on: its seed is kept where none is chosen. The seed, if so.
        keepSeed() {
            const seed = this.tab.querySelector('.result [data-seed]');
            const field = this.tab.querySelector('.seed-field textarea, .seed-field input');
            if (!seed || !field || field.value.trim() || !this.picture()) return '';
            this.write(field, seed.dataset.seed);
            return seed.dataset.seed;
        }

        choose(move) {
            const choice = this.tab.querySelector(`.what-moves input[value="${move}"]`);
            if (choice) choice.click();
        }
    }

    window.motionForm = { Form };
}
