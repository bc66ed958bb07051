() => {
    // The motion's text read and written, and where a thing is in each frame: as t2v/diffusion/course_text.py and
    // courses.py do it, which judge what is sent. Places here are shares of the picture.
    const NUMBER = '[-+]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)';
    const POINT = `(${NUMBER})(%?)\\s*,\\s*(${NUMBER})(%?)`;
    const LOOKS = `(?:\\s+[x×]\\s*(${NUMBER}))?(?:\\s+(${NUMBER})\\s*(?:deg|°))?`;
    const KEY = new RegExp(`^(${NUMBER})\\s*(%?)\\s*:\\s*${POINT}${LOOKS}$`, 'i');
    const LINE = new RegExp(`^line((?:\\s+${POINT})+)${LOOKS}$`, 'i');
    const TIME = new RegExp(`^\\s*${NUMBER}\\s*%?\\s*$`);

    const place = (text, sign, side) => (sign ? Number(text) / 100 : Number(text) / side);
    const looks = (size, turn) => ({ size: size ? Number(size) : 1, turn: turn ? Number(turn) : 0 });

    // One part; null where it cannot be read. at: a frame, or with inShares a share of the clip.
    const readPart = (raw, width, height) => {
        const colon = raw.indexOf(':');
        let thing = '', text = raw;
        if (colon >= 0 && !TIME.test(raw.slice(0, colon))) {
            thing = raw.slice(0, colon).trim().split(/\s+/).join(' ');
            text = raw.slice(colon + 1);
            if (!thing) return null;
        }
        const part = { thing, raw, keys: [], isLine: false, inShares: false, ease: false, loop: false };
        for (const item of text.split('|').map((one) => one.trim())) {
            let found;
            if (item.toLowerCase() === 'ease') part.ease = true;
            else if (item.toLowerCase() === 'to and fro') part.loop = true;
            else if ((found = LINE.exec(item))) {
                part.isLine = part.inShares = true;
                part.keys = [...found[1].matchAll(new RegExp(POINT, 'g'))].map((one) => ({
                    x: place(one[1], one[2], width), y: place(one[3], one[4], height), size: 1, turn: 0 }));
                const [first] = part.keys;
                if (first.x || first.y) part.keys.unshift({ x: 0, y: 0, size: 1, turn: 0 });
                part.keys.forEach((key, number) => { key.at = number / (part.keys.length - 1); });
                Object.assign(part.keys.at(-1), looks(found.at(-2), found.at(-1)));
            } else if ((found = KEY.exec(item))) {
                if (found[2]) part.inShares = true;
                part.keys.push({ at: found[2] ? Number(found[1]) / 100 : Number(found[1]),
                    x: place(found[3], found[4], width), y: place(found[5], found[6], height), ...looks(found[7], found[8]) });
            } else return null;
        }
        if (!part.keys.length) return null;
        if (!part.isLine && part.keys[0].at > 0) part.keys.unshift({ at: 0, x: 0, y: 0, size: 1, turn: 0 });
        return part.keys.every((key, number) => !number || key.at > part.keys[number - 1].at) ? part : null;
    };

    // All parts of a text; null where one of them cannot be read.
    const read = (text, width, height) => {
        const parts = text.split(/[;\n]/).map((part) => part.trim()).filter(Boolean).map((part) => readPart(part, width, height));
        return parts.includes(null) ? null : parts;
    };

    const rounded = (value, digits = 1) => String(Number(value.toFixed(digits)));
    const share = (value) => (rounded(100 * value) === '0' || rounded(100 * value) === '-0' ? '0' : `${rounded(100 * value)}%`);
    const spot = (key) => `${share(key.x)},${share(key.y)}`;
    const look = (key) => (key.size === 1 ? '' : ` x${rounded(key.size, 2)}`) + (key.turn ? ` ${rounded(key.turn)}deg` : '');

    const writePart = (part) => {
        const keys = part.isLine
            ? [`line ${part.keys.map(spot).join(' ')}${look(part.keys.at(-1))}`]
            : part.keys.map((key) => `${part.inShares ? `${rounded(100 * key.at)}%` : key.at}: ${spot(key)}${look(key)}`);
        const ways = [...(part.ease ? ['ease'] : []), ...(part.loop ? ['to and fro'] : [])];
        return (part.thing ? `${part.thing}: ` : '') + [...keys, ...ways].join(' | ');
    };

    // Parts as text; those that nobody touched stay as they were written.
    const write = (parts) => parts.map((part) => (part.raw === null ? writePart(part) : part.raw)).join('; ');

    const eased = (value) => value * value * (3 - 2 * value);

    // Where the thing is at frame ``now`` of so many, in shares of the picture; aspect: its width by its height.
    const at = (part, now, count, aspect) => {
        const last = count - 1, keys = part.keys;
        let times = keys.map((key) => key.at * (part.inShares ? last : 1));
        let sizes = keys.map((key) => Math.log(key.size)), turns = keys.map((key) => key.turn);
        if (part.isLine) {
            const passed = [0];
            for (let n = 1; n < keys.length; n += 1) {
                passed.push(passed[n - 1] + Math.hypot((keys[n].x - keys[n - 1].x) * aspect, keys[n].y - keys[n - 1].y));
            }
            const shares = passed.map((one, n) => (passed.at(-1) > 0 ? one / passed.at(-1) : keys[n].at));
            times = shares.map((one) => one * last);
            sizes = shares.map((one) => one * sizes.at(-1));
            turns = shares.map((one) => one * turns.at(-1));
        }
        const end = times.at(-1);
        if (part.loop && part.inShares) now = last - Math.abs(last - 2 * now);
        else if (part.loop && end > 0) now = end - Math.abs(end - (now % (2 * end)));
        now = Math.min(Math.max(now, 0), end);
        if (part.isLine && part.ease && end > 0) now = end * eased(now / end);
        let after = times.findIndex((time) => time >= now);
        after = Math.max(1, after < 0 ? times.length - 1 : after);
        if (keys.length === 1) return { x: 0, y: 0, size: 1, turn: 0 };
        const apart = times[after] - times[after - 1];
        let mix = apart > 0 ? (now - times[after - 1]) / apart : 0;
        if (part.ease && !part.isLine) mix = eased(mix);
        const mixed = (values) => values[after - 1] + (values[after] - values[after - 1]) * mix;
        return { x: mixed(keys.map((key) => key.x)), y: mixed(keys.map((key) => key.y)), size: Math.exp(mixed(sizes)), turn: mixed(turns) };
    };

    // A drawn line with few corners, none further off than ``reach`` (Ramer, Douglas, Peucker).
    const simplified = (points, reach) => {
        if (points.length < 3) return points;
        const [a, b] = [points[0], points.at(-1)];
        const length = Math.hypot(b.x - a.x, b.y - a.y);
        const off = (p) => (length > 0 ? Math.abs((b.x - a.x) * (a.y - p.y) - (a.x - p.x) * (b.y - a.y)) / length : Math.hypot(p.x - a.x, p.y - a.y));
        const distances = points.map(off);
        const furthest = distances.indexOf(Math.max(...distances));
        if (distances[furthest] <= reach) return [a, b];
        return [...simplified(points.slice(0, furthest + 1), reach).slice(0, -1), ...simplified(points.slice(furthest), reach)];
    };

    // Masks as t2v/tasks/painted.py has them: one text a subject, '' for none.
    const readMask = (text) => {
        const found = /^(\d+)x(\d+):([\d,]+)$/.exec((text || '').trim());
        if (!found) return null;
        const mask = { columns: Number(found[1]), rows: Number(found[2]) };
        if (mask.columns > 128 || mask.rows > 128) return null;
        mask.cells = new Uint8Array(mask.columns * mask.rows);
        let from = 0, on = false;
        for (const run of found[3].split(',').map(Number)) {
            if (on) mask.cells.fill(1, from, from + run);
            from += run;
            on = !on;
        }
        return mask;
    };
    const writeMask = (mask) => {
        if (!mask || !mask.cells.includes(1)) return '';
        const runs = [];
        let on = 0, from = 0;
        mask.cells.forEach((cell, at) => {
            if (cell === on) return;
            runs.push(at - from);
            [from, on] = [at, cell];
        });
        if (on) runs.push(mask.cells.length - from);
        return `${mask.columns}x${mask.rows}:${runs.join(',')}`;
    };

    window.motionText = { read, readPart, write, writePart, at, simplified, readMask, writeMask };
}
