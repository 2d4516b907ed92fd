// Every pair of colours that carries text or draws a control, in both schemes, against WCAG 2.2: 4.5 for text (1.4.3),
// 7 for the softer ink that carries most explanations (1.4.6), 3 for controls and marks (1.4.11).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const css = readFileSync(new URL('../../style/00-tokens.css', import.meta.url), 'utf8');
const SCHEMES = ['light', 'dark'];
const PAPERS = ['paper', 'paper-raised', 'paper-sunken'];

/** Tokens written as `--name: light-dark(oklch(L% C H), oklch(L% C H));`, as [L, C, H] per scheme. */
function read(text) {
  const one = String.raw`oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)`;
  const pattern = new RegExp(String.raw`--([a-z-]+):\s*light-dark\(${one},\s*${one}\);`, 'g');
  return new Map([...text.matchAll(pattern)].map(([, name, ...numbers]) => {
    const [l, c, h, darkL, darkC, darkH] = numbers.map(Number);
    return [name, { light: [l / 100, c, h], dark: [darkL / 100, darkC, darkH] }];
  }));
}

/** OKLCH to linear sRGB (Björn Ottosson's matrices), cut to what a screen can show. */
function linear([l, c, h]) {
  const a = c * Math.cos((h * Math.PI) / 180);
  const b = c * Math.sin((h * Math.PI) / 180);
  const [x, y, z] = [
    (l + 0.3963377774 * a + 0.2158037573 * b) ** 3,
    (l - 0.1055613458 * a - 0.0638541728 * b) ** 3,
    (l - 0.0894841775 * a - 1.291485548 * b) ** 3,
  ];
  return [
    4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z,
    -1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z,
    -0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z,
  ].map((channel) => Math.min(1, Math.max(0, channel)));
}

const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

function contrast(one, other) {
  const [low, high] = [luminance(linear(one)), luminance(linear(other))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** What is drawn on what, and how far apart they must be. */
const PAIRS = [
  ...PAPERS.flatMap((paper) => [
    ['ink', paper, 7],
    ['ink-soft', paper, 7],
    ['ink-faint', paper, 4.5],
    ['accent', paper, 4.5],
    ['accent-strong', paper, 4.5],
    ['good', paper, 4.5],
    ['wait', paper, 4.5],
    ['bad', paper, 4.5],
    ['bad-strong', paper, 4.5],
    ['info', paper, 4.5],
    ['line-strong', paper, 3],
  ]),
  ...['good', 'wait', 'bad', 'info', 'accent'].flatMap((tone) => [
    [tone, `${tone}-tint`, 4.5],
    ['ink', `${tone}-tint`, 7],
    // A plain icon button stands in a flash.
    ['ink-soft', `${tone}-tint`, 4.5],
  ]),
  ['on-accent', 'accent', 4.5],
  ['on-accent', 'accent-strong', 4.5],
  ['on-bad', 'bad', 4.5],
  ['on-bad', 'bad-strong', 4.5],
];
// Drawn, but never needed to read or to find anything.
const DECORATION = ['line', 'contour'];

/** The pairs that are too close, as sentences. */
function tooClose(tokens) {
  return SCHEMES.flatMap((scheme) => PAIRS.flatMap(([front, back, least]) => {
    const found = contrast(tokens.get(front)[scheme], tokens.get(back)[scheme]);
    return found < least ? [`${front} on ${back}, ${scheme}: ${found.toFixed(2)}, needs ${least}`] : [];
  }));
}

test('the measure agrees with known pairs', () => {
  assert.ok(Math.abs(contrast([0, 0, 0], [1, 0, 0]) - 21) < 0.01);
  // #767676 in OKLCH: the lightest grey that is readable on white.
  assert.ok(Math.abs(contrast([0.5658, 0, 0], [1, 0, 0]) - 4.54) < 0.03);
  // #0000ff on white is 8.59.
  assert.ok(Math.abs(contrast([0.452, 0.3132, 264.05], [1, 0, 0]) - 8.59) < 0.05);
});

test('every colour token takes part in a pair', () => {
  const paired = new Set([...PAIRS.flatMap(([front, back]) => [front, back]), ...DECORATION]);
  const declared = [...css.matchAll(/--([a-z-]+):\s*light-dark\(/g)].map(([, name]) => name);
  assert.deepEqual([...read(css).keys()], declared, 'a token is written in a way this test does not read');
  assert.deepEqual(declared.filter((name) => !paired.has(name)), []);
  assert.deepEqual([...paired].filter((name) => !declared.includes(name)), []);
});

test('every pair stands apart in both schemes', () => {
  assert.deepEqual(tooClose(read(css)), []);
});

test('a token that drifts is caught', () => {
  for (const scheme of SCHEMES) {
    for (const name of ['ink-soft', 'ink-faint', 'accent', 'good', 'wait', 'bad', 'info', 'line-strong', 'on-accent']) {
      const tokens = read(css);
      const drifted = structuredClone(tokens.get(name));
      // Towards its background: lighter ink in light, darker in dark; the other way round for what stands on fills.
      const step = (scheme === 'light') === name.startsWith('on-') ? -0.3 : 0.3;
      drifted[scheme][0] += step;
      tokens.set(name, drifted);
      assert.ok(tooClose(tokens).some((line) => line.startsWith(`${name} on`)), `${name}, ${scheme}`);
    }
  }
});
