() => {
    // The motion editor: what is drawn on the picture becomes text in the field below it, and the other way round.
    const GRID = 64, BRUSH = 2.6; // cells along the picture's longer side; of the brush's radius
    const NEAR = 0.05, SHORT = 0.02, REACH = 0.012; // shares of the picture: a key is meant, no line, a corner is none
    const HELP = {
        line: 'Draw the way that it takes, from where it is.',
        keys: 'Choose a frame, then click where it is to be by then; drag keys to change them.',
        brush: 'Paint over the subject in the first frame.',
        eraser: 'Take away what was painted too much.',
    };
    const GUESSED = ' The box is a guess until a run has found the subject; it then starts from there.';
    const OTHER = ' The picture is of another prompt; First frame shows this one.';
    const UNREAD = 'What is written below cannot be read yet; Run will say why.';
    const TEXT = window.motionText, SKETCH = window.motionSketch;

    class Editor {
        constructor(root) {
            this.root = root;
            this.form = new window.motionForm.Form(root.closest('.two-columns') || document);
            this.sketch = new SKETCH.Sketch(this.$('.me-lines'));
            Object.assign(this, { tool: 'line', thing: '', parts: [], masks: [], drawing: null, drag: null, broken: false });
            this.playing = !matchMedia('(prefers-reduced-motion: reduce)').matches;
            root.addEventListener('click', (event) => this.clicked(event.target.closest('button')));
            root.addEventListener('input', (event) => this.typed(event.target));
            const lines = this.$('.me-lines');
            lines.addEventListener('pointerdown', (event) => this.down(event));
            lines.addEventListener('pointermove', (event) => this.moved(event));
            lines.addEventListener('pointerup', () => this.up());
            lines.addEventListener('pointercancel', () => this.up());
            this.tick();
            setInterval(() => this.tick(), 250);
            requestAnimationFrame((now) => this.animate(now));
        }

        $(selector) { return this.root.querySelector(selector); }

        // Looks whether the form or the stage have changed; all that others write arrives here.
        tick() {
            const form = this.root.offsetParent && this.form.read();
            if (!form) return;
            SKETCH.showFirst(this.$('.me-back'), form.picture, () => {});
            const now = JSON.stringify({ ...form, picture: null });
            if (now === this.seen || this.drag) return;
            this.seen = now;
            const { width, height, count, move, moveLabel } = form;
            Object.assign(this, { width, height, count, move, moveLabel, outlines: JSON.parse(form.outlines), isOther: form.isOther });
            const read = TEXT.read(form.text, width, height);
            this.broken = read === null;
            if (read) this.parts = read;
            this.masks = form.painted.split(';').map(TEXT.readMask);
            this.draw();
        }

        get part() { return this.parts.find((one) => one.thing.toLowerCase() === this.thing.toLowerCase()); }

        get isCamera() { return this.thing.toLowerCase() === 'camera' || (!this.thing && this.move === 'camera'); }

        get frame() { return Number(this.$('.me-frame').value); }

        // of the things that move by themselves, in their order
        get place() {
            const own = this.parts.filter((one) => one.thing.toLowerCase() !== 'camera' && (one.thing || this.move !== 'camera'));
            return Math.max(0, own.findIndex((one) => one.thing.toLowerCase() === this.thing.toLowerCase()));
        }

        get shape() {
            if (this.isCamera) return SKETCH.FRAME;
            const mask = this.masks[this.place], outline = this.outlines[this.place];
            return (mask && SKETCH.ofMask(mask)) || (outline ? SKETCH.measured(outline, false) : SKETCH.SOMEWHERE);
        }

        // whether nobody knows yet where the thing is
        get isGuessed() { return this.shape === SKETCH.SOMEWHERE; }

        draw() {
            this.$('.me-stage').style.setProperty('--aspect', this.width / this.height);
            this.sketch.shaped(this.width / this.height);
            const names = ['', ...this.parts.map((one) => one.thing).filter(Boolean)];
            if (!names.includes(this.thing)) names.push(this.thing);
            this.$('.me-thing').replaceChildren(...names.map((name) => new Option(name || this.moveLabel, name, false, name === this.thing)));
            const slider = this.$('.me-frame');
            if (Number(slider.max) !== this.count - 1) {
                slider.max = this.count - 1;
                slider.value = this.count - 1;
            }
            this.$('.me-number').value = this.frame;
            const seen = this.part ? TEXT.at(this.part, this.frame, this.count, this.width / this.height) : { size: 1, turn: 0 };
            if (document.activeElement !== this.$('.me-size')) this.$('.me-size').value = Number(seen.size.toFixed(2));
            if (document.activeElement !== this.$('.me-turn')) this.$('.me-turn').value = Math.round(seen.turn);
            this.$('.me-ease').checked = Boolean(this.part && this.part.ease);
            this.$('.me-loop').checked = Boolean(this.part && this.part.loop);
            this.$('.me-of-keys').hidden = this.tool !== 'keys';
            this.root.dataset.tool = this.tool;
            this.root.querySelectorAll('[data-tool]').forEach((one) => one.setAttribute('aria-pressed', one.dataset.tool === this.tool));
            this.$('[data-do=play]').setAttribute('aria-pressed', this.playing);
            this.$('.me-help').textContent = this.broken ? UNREAD : `${HELP[this.tool]}${this.isGuessed ? GUESSED : ''}${this.isOther ? OTHER : ''}`;
            this.$('.me-kept').textContent = this.kept ? `Seed ${this.kept} is kept, so that the video is of this picture.` : '';
            const outlines = this.$('.me-outline').checked ? this.outlines : [];
            this.sketch.drawStill({ part: this.part, shape: this.shape, count: this.count, outlines, drawing: this.drawing, frame: this.frame });
            this.sketch.moveTo(this.part, this.shape, this.frame, this.count);
            this.drawMasks();
        }

        drawMasks() {
            const canvas = this.$('.me-paint'), mask = this.masks[this.place];
            [canvas.width, canvas.height] = mask ? [mask.columns, mask.rows] : [1, 1];
            if (!mask || this.isCamera) return;
            const paper = canvas.getContext('2d');
            paper.fillStyle = '#f0f';
            mask.cells.forEach((cell, at) => { if (cell) paper.fillRect(at % mask.columns, Math.floor(at / mask.columns), 1, 1); });
        }

        animate(now) {
            requestAnimationFrame((later) => this.animate(later));
            if (!this.playing || !this.count || !this.root.offsetParent || document.hidden || this.drag) return;
            const time = ((now / 1000) * this.form.number('Frames per second', 4)) % this.count;
            this.sketch.moveTo(this.part, this.shape, Math.min(time, this.count - 1), this.count);
        }

        // The drawing has changed: so does the text.
        write() {
            this.form.set('motion-text', TEXT.write(this.parts));
            this.form.set('painted-text', this.masks.map(TEXT.writeMask).join(';').replace(/;+$/, ''));
            this.broken = false;
            this.draw();
        }

        // A part for the thing that is chosen, to be written anew.
        own(changes) {
            let part = this.part;
            if (!part) {
                part = { thing: this.thing, keys: [{ at: 0, x: 0, y: 0, size: 1, turn: 0 }], isLine: false, inShares: false, ease: false, loop: false };
                this.parts.push(part);
            }
            Object.assign(part, changes, { raw: null });
            return part;
        }

        // The key at the chosen frame, made where there is none.
        key() {
            const before = this.part, aspect = this.width / this.height;
            const seen = before ? TEXT.at(before, this.frame, this.count, aspect) : { x: 0, y: 0, size: 1, turn: 0 };
            const part = this.own(!before || before.isLine
                ? { keys: [{ at: 0, x: 0, y: 0, size: 1, turn: 0 }], isLine: false, inShares: false } : {});
            const at = part.inShares ? this.frame / Math.max(1, this.count - 1) : this.frame;
            let key = part.keys.find((one) => Math.abs(one.at - at) < 1e-6);
            if (!key) {
                key = { ...seen, at };
                part.keys.push(key);
                part.keys.sort((a, b) => a.at - b.at);
            }
            return key;
        }

        spot(event) {
            const box = this.$('.me-lines').getBoundingClientRect();
            return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
        }

        down(event) {
            this.tick(); // what was chosen a moment ago counts
            if (event.button || !this.count) return;
            event.preventDefault();
            this.$('.me-lines').setPointerCapture(event.pointerId);
            const at = this.spot(event);
            if (this.tool === 'keys') this.grab(at);
            else if (this.tool === 'line') this.drawing = [at];
            else if (this.isCamera) this.toSubject();
            this.drag = this.tool;
            this.moved(event);
        }

        grab(at) {
            const [x, y] = this.shape.middle, keys = this.part && !this.part.isLine ? this.part.keys : [];
            const near = keys.find((key) => key.at > 0 && Math.hypot(x + key.x - at.x, y + key.y - at.y) < NEAR);
            if (near) this.$('.me-frame').value = Math.round(near.at * (this.part.inShares ? this.count - 1 : 1));
            else if (!this.frame) this.$('.me-frame').value = this.count - 1; // in the first frame it is where it is
        }

        // A painted thing is a subject: from now on that is what moves.
        toSubject() {
            if (this.thing) return;
            this.form.choose('subject');
            this.move = 'subject';
        }

        moved(event) {
            if (!this.drag) return;
            const at = this.spot(event);
            if (this.drag === 'line') this.drawing.push(at);
            else if (this.drag === 'keys') {
                if (this.frame) Object.assign(this.key(), { x: at.x - this.shape.middle[0], y: at.y - this.shape.middle[1] });
            } else if (!this.isCamera) this.paint(at, this.drag === 'brush' ? 1 : 0);
            this.draw();
        }

        paint(at, value) {
            if (this.parts.length && !this.part) this.own({});
            const longest = Math.max(this.width, this.height);
            const place = this.place;
            while (this.masks.length < place) this.masks.push(null);
            let mask = this.masks[place];
            if (!mask) {
                const [columns, rows] = [this.width, this.height].map((side) => Math.max(1, Math.round((GRID * side) / longest)));
                mask = this.masks[place] = { columns, rows, cells: new Uint8Array(columns * rows) };
            }
            const reach = (BRUSH * Math.max(mask.columns, mask.rows)) / GRID;
            for (let y = 0; y < mask.rows; y += 1) {
                for (let x = 0; x < mask.columns; x += 1) {
                    if (Math.hypot(x + 0.5 - at.x * mask.columns, y + 0.5 - at.y * mask.rows) <= reach) mask.cells[y * mask.columns + x] = value;
                }
            }
        }

        up() {
            if (!this.drag) return;
            if (this.drag === 'line') this.finishLine();
            this.kept = this.form.keepSeed() || this.kept;
            this.drag = this.drawing = null;
            this.write();
        }

        finishLine() {
            const [first, ...rest] = TEXT.simplified(this.drawing, REACH);
            const keys = [first, ...rest].map((p) => ({ x: p.x - first.x, y: p.y - first.y, size: 1, turn: 0 }));
            if (Math.max(...keys.map((key) => Math.hypot(key.x, key.y))) < SHORT) return;
            keys.forEach((key, number) => { key.at = number / (keys.length - 1); });
            this.own({ keys, isLine: true, inShares: true });
        }

        clicked(button) {
            if (!button || !this.count) return;
            if (button.dataset.tool) this.tool = button.dataset.tool;
            const done = button.dataset.do;
            if (done === 'play') this.playing = !this.playing;
            if (done === 'add' && this.$('.me-new').value.trim()) {
                this.thing = this.$('.me-new').value.trim().replace(/[;:|]/g, ' ');
                this.$('.me-new').value = '';
            }
            if (done === 'clear') {
                this.masks.splice(this.place, 1);
                this.parts = this.parts.filter((one) => one !== this.part);
                this.kept = '';
                this.write();
            }
            if (done === 'unkey' && this.part && this.frame) {
                const key = this.key();
                this.part.keys = this.part.keys.filter((one) => one !== key);
                this.write();
            }
            this.draw();
        }

        typed(input) {
            if (!this.count || input.matches('.me-new')) return;
            if (input.matches('.me-thing')) this.thing = input.value;
            if (input.matches('.me-ease, .me-loop') && this.part) {
                this.own({ ease: this.$('.me-ease').checked, loop: this.$('.me-loop').checked });
                this.write();
            }
            if (input.matches('.me-size, .me-turn') && this.frame && input.checkValidity() && input.value !== '') {
                Object.assign(this.key(), { size: Number(this.$('.me-size').value), turn: Number(this.$('.me-turn').value) });
                this.write();
            }
            this.draw();
        }
    }

    setInterval(() => document.querySelectorAll('.motion-editor:not([data-ready])').forEach((root) => {
        root.dataset.ready = 'yes';
        root.editor = new Editor(root);
    }), 300);
}
