() => {
    // The sketch of a motion: where a thing goes, its keys, its outline that moves along. All in shares of the picture.
    const SPACE = 'http://www.w3.org/2000/svg';
    const HIGH = 100; // of the drawing, whose width follows the picture's shape

    const element = (name, attributes) => {
        const one = document.createElementNS(SPACE, name);
        for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
        return one;
    };

    // What of a shape, a list of [x, y], decides how it is moved.
    const measured = (points, isCamera) => {
        const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
        const across = (Math.min(...xs) + Math.max(...xs)) / 2;
        const middle = [across, (Math.min(...ys) + Math.max(...ys)) / 2];
        return { points, middle, foot: isCamera ? middle : [across, Math.max(...ys)] };
    };
    const FRAME = measured([[0, 0], [1, 0], [1, 1], [0, 1]], true);
    const SOMEWHERE = measured([[0.35, 0.3], [0.65, 0.3], [0.65, 0.75], [0.35, 0.75]], false);

    const ofMask = (mask) => {
        const found = [];
        mask.cells.forEach((cell, at) => { if (cell) found.push([at % mask.columns, Math.floor(at / mask.columns)]); });
        if (!found.length) return null;
        const [left, right] = [Math.min(...found.map(([x]) => x)), Math.max(...found.map(([x]) => x)) + 1].map((x) => x / mask.columns);
        const [top, bottom] = [Math.min(...found.map(([, y]) => y)), Math.max(...found.map(([, y]) => y)) + 1].map((y) => y / mask.rows);
        return measured([[left, top], [right, top], [right, bottom], [left, bottom]], false);
    };

    class Sketch {
        constructor(svg) {
            this.svg = svg;
            this.still = element('g', {});
            this.mover = element('polygon', { class: 'me-mover' });
            svg.append(this.still, this.mover);
        }

        shaped(aspect) {
            this.aspect = aspect;
            this.svg.setAttribute('viewBox', `0 0 ${HIGH * aspect} ${HIGH}`);
        }

        spots(points) {
            return points.map(([x, y]) => `${(x * HIGH * this.aspect).toFixed(2)},${(y * HIGH).toFixed(2)}`).join(' ');
        }

        // what stands: outlines, the way with a dot a frame, the keys, and a line that is being drawn
        drawStill({ part, shape, count, outlines, drawing, frame }) {
            this.still.replaceChildren();
            for (const outline of outlines) this.still.append(element('polygon', { class: 'me-found', points: this.spots(outline) }));
            if (part) {
                const [x, y] = shape.middle;
                const seen = [...Array(count).keys()].map((now) => window.motionText.at(part, now, count, this.aspect));
                const places = seen.map((one) => [x + one.x, y + one.y]);
                this.still.append(element('polyline', { class: 'me-way', points: this.spots(part.isLine
                    ? part.keys.map((key) => [x + key.x, y + key.y]) : places) }));
                for (const [px, py] of places) this.dot('me-dot', px, py, 0.8);
                if (!part.isLine) {
                    part.keys.forEach((key) => this.dot(key.at * (part.inShares ? count - 1 : 1) === frame ? 'me-key me-now' : 'me-key', x + key.x, y + key.y, 2));
                }
            }
            if (drawing) this.still.append(element('polyline', { class: 'me-drawing', points: this.spots(drawing.map((p) => [p.x, p.y])) }));
        }

        dot(kind, x, y, size) {
            this.still.append(element('circle', { class: kind, cx: x * HIGH * this.aspect, cy: y * HIGH, r: size }));
        }

        // the thing's outline where it is at a frame, which need not be whole
        moveTo(part, shape, now, count) {
            const seen = part ? window.motionText.at(part, now, count, this.aspect) : { x: 0, y: 0, size: 1, turn: 0 };
            const [wide, high] = [HIGH * this.aspect, HIGH];
            const [fx, fy, mx, my] = [shape.foot[0] * wide, shape.foot[1] * high, shape.middle[0] * wide, shape.middle[1] * high];
            this.mover.setAttribute('points', this.spots(shape.points));
            this.mover.setAttribute('transform', `translate(${seen.x * wide} ${seen.y * high}) translate(${fx} ${fy}) `
                + `scale(${seen.size}) translate(${-fx} ${-fy}) rotate(${seen.turn} ${mx} ${my})`);
        }
    }

    // The stage's picture as it begins: the first frame of a video, or a still; onto a canvas, told when it is there.
    const showFirst = (canvas, picture, shown) => {
        const source = picture && picture.querySelector('video[src], img:not(.strip)');
        const url = source ? source.src : '';
        if (canvas.dataset.url === url) return;
        canvas.dataset.url = url;
        const draw = (one, width, height) => {
            if (canvas.dataset.url !== url || !width) return;
            [canvas.width, canvas.height] = [width, height];
            canvas.getContext('2d').drawImage(one, 0, 0, width, height);
            shown();
        };
        if (!url) {
            canvas.width = canvas.height = 1; // empty, and the page's own colour shows
        } else if (source.tagName === 'IMG') {
            const image = new Image();
            image.onload = () => draw(image, image.naturalWidth, image.naturalHeight);
            image.src = url;
        } else {
            const video = document.createElement('video');
            Object.assign(video, { muted: true, preload: 'auto', src: url });
            video.addEventListener('loadeddata', () => draw(video, video.videoWidth, video.videoHeight), { once: true });
        }
    };

    window.motionSketch = { Sketch, measured, ofMask, showFirst, FRAME, SOMEWHERE };
}
