// Draws public/contours.svg: the contour lines of a made-up island. A height function is cut at equal steps with
// marching squares; the pieces are joined, thinned and smoothed. Run in end2end/: node design/contours.mjs > ../public/contours.svg

const WIDTH = 1200;
const HEIGHT = 600;
const CELL = 10;
const STEP = 0.06;
const INDEX_EVERY = 5;
// Shortest line worth drawing, in pixels: smaller ones read as dirt.
const SHORTEST = 90;
const LABELS = { 5: '5000', 10: '10000', 15: '15000' };

// x, y, height, radius along and across, turn. Hills, one long ridge, two hollows.
const FORMS = [
  [860, 250, 1.0, 210, 150, 0.5],
  [985, 330, 0.42, 120, 90, -0.7],
  [640, 400, 0.5, 190, 110, -0.35],
  [330, 210, 0.44, 230, 120, 0.25],
  [120, 470, 0.4, 190, 150, 0.1],
  [1140, 90, 0.45, 170, 120, 0.9],
  [560, 60, 0.28, 200, 90, 0.1],
  [745, 300, -0.2, 80, 60, 0.4],
  [450, 330, -0.16, 120, 70, -0.5],
];

function height(x, y) {
  // Bending the ground a little keeps the hills from looking like ellipses.
  const bentX = x + 26 * Math.sin(y / 83 + 0.6) + 11 * Math.sin(x / 41 + y / 57);
  const bentY = y + 22 * Math.sin(x / 97 + 1.9) + 9 * Math.cos(x / 53 - y / 37);
  let sum = 0.11 * Math.sin(bentX / 190 + 0.4) * Math.cos(bentY / 150);
  for (const [cx, cy, top, along, across, turn] of FORMS) {
    const dx = bentX - cx;
    const dy = bentY - cy;
    const u = (dx * Math.cos(turn) + dy * Math.sin(turn)) / along;
    const v = (-dx * Math.sin(turn) + dy * Math.cos(turn)) / across;
    sum += top * Math.exp(-(u * u + v * v));
  }
  return sum;
}

/** Pieces of the line at `level`, one or two per cell, as pairs of points. */
function pieces(level) {
  const found = [];
  for (let y = -CELL; y < HEIGHT + CELL; y += CELL) {
    for (let x = -CELL; x < WIDTH + CELL; x += CELL) {
      const corners = [[x, y], [x + CELL, y], [x + CELL, y + CELL], [x, y + CELL]];
      const above = corners.map(([cx, cy]) => height(cx, cy) - level);
      const crossings = [];
      for (let side = 0; side < 4; side += 1) {
        const next = (side + 1) % 4;
        if (above[side] > 0 === above[next] > 0) continue;
        // Always from the same end, so that neighbouring cells find the very same point.
        const [from, to] = side < 2 ? [side, next] : [next, side];
        const part = above[from] / (above[from] - above[to]);
        crossings.push([
          corners[from][0] + part * (corners[to][0] - corners[from][0]),
          corners[from][1] + part * (corners[to][1] - corners[from][1]),
        ]);
      }
      for (let i = 0; i + 1 < crossings.length; i += 2) found.push([crossings[i], crossings[i + 1]]);
    }
  }
  return found;
}

const name = ([x, y]) => `${x.toFixed(3)},${y.toFixed(3)}`;

/** Joins pieces that share an end into lines. */
function join(parts) {
  const at = new Map();
  for (const part of parts) {
    for (const end of part) at.set(name(end), [...(at.get(name(end)) ?? []), part]);
  }
  const used = new Set();
  const grow = (line) => {
    for (;;) {
      const end = line.at(-1);
      const next = at.get(name(end)).find((part) => !used.has(part));
      if (!next) return line;
      used.add(next);
      line.push(name(next[0]) === name(end) ? next[1] : next[0]);
    }
  };
  const lines = [];
  for (const part of parts) {
    if (used.has(part)) continue;
    used.add(part);
    lines.push(grow(grow([...part]).reverse()));
  }
  return lines;
}

const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
const length = (line) => line.slice(1).reduce((sum, point, i) => sum + distance(point, line[i]), 0);

/** Ramer, Douglas and Peucker: drops points that are nearer than `slack` to the line without them. */
function thin(line, slack) {
  if (line.length < 3) return line;
  const [a, b] = [line[0], line.at(-1)];
  const base = distance(a, b);
  let far = 0;
  let where = 0;
  line.forEach(([x, y], i) => {
    const off = base < 1e-6
      ? distance([x, y], a)
      : Math.abs((b[0] - a[0]) * (a[1] - y) - (a[0] - x) * (b[1] - a[1])) / base;
    if (off > far) [far, where] = [off, i];
  });
  if (far <= slack) return [a, b];
  return [...thin(line.slice(0, where + 1), slack).slice(0, -1), ...thin(line.slice(where), slack)];
}

/** A path through the middles of the segments, with the points as handles: smooth, and short to write. */
function path(line) {
  const closed = distance(line[0], line.at(-1)) < 1e-3;
  const points = thin(line, 0.6);
  const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  let here;
  const step = ([x, y]) => {
    const to = [Math.round(x), Math.round(y)];
    const text = `${to[0] - here[0]} ${to[1] - here[1]}`;
    return [text, to];
  };
  const corners = closed ? points.slice(0, -1) : points.slice(1, -1);
  const start = closed ? middle(corners.at(-1), corners[0]) : points[0];
  here = start.map(Math.round);
  let text = `M${here.join(' ')}`;
  corners.forEach((corner, i) => {
    const end = i + 1 < corners.length
      ? middle(corner, corners[i + 1])
      : closed ? start : points.at(-1);
    const [handle] = step(corner);
    const [goal, to] = step(end);
    text += `q${handle} ${goal}`;
    here = to;
  });
  return (closed ? `${text}z` : text).replaceAll(' -', '-');
}

// A draughtsman's digits, one stroke each, in a box 5 wide and 8 high.
const DIGITS = {
  0: 'M2.5 0c-1.6 0-2 1.8-2 4s.4 4 2 4 2-1.8 2-4-.4-4-2-4',
  1: 'M1 1.6 3 0v8',
  2: 'M.6 2C.7.7 1.5 0 2.6 0s2 .8 2 2c0 1.7-2.6 3.2-4.1 6h4.2',
  5: 'M4.3 0H1.1L.7 3.6C1.2 3.2 1.8 3 2.5 3c1.3 0 2.2 1 2.2 2.4S3.7 8 2.4 8C1.5 8 .8 7.6.4 6.8',
};

/** Cuts a gap into the line where it runs most level and far from the edges; the label goes there. */
function label(line, digits) {
  const gap = digits.length * 7 + 10;
  let best;
  for (let i = 0; i < line.length; i += 1) {
    let j = i;
    while (j < line.length - 1 && distance(line[i], line[j]) < gap) j += 1;
    const reach = distance(line[i], line[j]);
    const middle = [(line[i][0] + line[j][0]) / 2, (line[i][1] + line[j][1]) / 2];
    if (reach < gap || middle[0] < 660 || middle[0] > WIDTH - 60 || middle[1] < 60 || middle[1] > HEIGHT - 60) continue;
    const slope = Math.abs((line[j][1] - line[i][1]) / (line[j][0] - line[i][0] || 1e-6));
    if (!best || slope < best.slope) best = { slope, i, j, middle };
  }
  if (!best) return { lines: [line], text: '' };
  const { i, j, middle } = best;
  const [a, b] = line[i][0] < line[j][0] ? [line[i], line[j]] : [line[j], line[i]];
  const turn = Math.round((Math.atan2(b[1] - a[1], b[0] - a[0]) * 180) / Math.PI);
  const left = -(digits.length * 7 - 2) / 2;
  const glyphs = [...digits].map((digit, k) => `<path d="${DIGITS[digit]}" transform="translate(${left + k * 7}-4)"/>`);
  const text = `<g transform="translate(${middle.map(Math.round).join(' ')})rotate(${turn})">${glyphs.join('')}</g>`;
  const closed = distance(line[0], line.at(-1)) < 1e-3;
  const rest = closed ? [[...line.slice(j), ...line.slice(1, i + 1)]] : [line.slice(0, i + 1), line.slice(j)];
  return { lines: rest, text };
}

const thinLines = [];
const indexLines = [];
let labels = '';
for (let number = 1; number < 24; number += 1) {
  // A hair off the round level, so that no corner of the grid lies exactly on it.
  const lines = join(pieces(number * STEP + 1e-7)).filter((line) => length(line) > SHORTEST);
  if (number % INDEX_EVERY > 0) {
    thinLines.push(...lines.map(path));
    continue;
  }
  lines.sort((a, b) => length(b) - length(a)).forEach((line, place) => {
    const cut = place === 0 && LABELS[number] ? label(line, LABELS[number]) : { lines: [line], text: '' };
    indexLines.push(...cut.lines.filter((part) => part.length > 2).map(path));
    labels += cut.text;
  });
}

process.stdout.write(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" fill="none" stroke="#000" stroke-linecap="round">`
  + `<path stroke-width=".9" stroke-opacity=".72" d="${thinLines.join('')}"/>`
  + `<path stroke-width="1.6" d="${indexLines.join('')}"/>`
  + `<g stroke-width="1" stroke-linejoin="round">${labels}</g></svg>\n`,
);
