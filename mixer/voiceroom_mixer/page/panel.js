// The small panel: how the room keeps time, and how my own connection does.

import { SAY } from './words.js';

const EVERY_MS = 1000;
const LOOKBACK = 10; // samples: loss is told over the last ten seconds

const milli = (value, digits = 0) => (value === null || value === undefined ? SAY.none : `${value.toFixed(digits)} ms`);
const percent = (share) => (share === null || share === undefined ? SAY.none : `${(share * 100).toFixed(1)} %`);
const whole = (value) => (value === null || value === undefined ? SAY.none : String(value));

/** [label, text of {ticks, stats, mine, downLoss}, value to grade, warn from, bad from] */
const FIGURES = [
  ['Room late, median', ({ ticks }) => milli(ticks?.latenessMs?.p50, 2), ({ ticks }) => ticks?.latenessMs?.p50, 5, 20],
  ['Room late, p99', ({ ticks }) => milli(ticks?.latenessMs?.p99, 2), ({ ticks }) => ticks?.latenessMs?.p99, 10, 20],
  ['The server', ({ ticks }) => ticks?.words ?? SAY.none, ({ ticks }) => ticks?.level, 1, 3],
  ['Late ticks', ({ ticks }) => whole(ticks?.late)],
  ['Skipped ticks', ({ ticks }) => whole(ticks?.skipped)],
  ['Round trip', ({ rtt }) => milli(rtt), ({ rtt }) => rtt, 200, 400],
  ['Loss to me', ({ downLoss }) => percent(downLoss), ({ downLoss }) => downLoss, 0.02, 0.1],
  ['Loss from me', ({ stats }) => percent(stats?.upLoss), ({ stats }) => stats?.upLoss, 0.02, 0.1],
  ['Jitter to me', ({ stats }) => milli(stats?.jitterMs, 1), ({ stats }) => stats?.jitterMs, 30, 100],
  ['Jitter from me', ({ mine }) => milli(mine?.jitterMs, 1), ({ mine }) => mine?.jitterMs, 30, 100],
  ['Held back for jitter', ({ mine }) => milli(mine?.bufferMs)],
];

export class Panel {
  #details;
  #short;
  #cells;
  #statsOf;
  #refresh;
  #timer = 0;
  #past = [];
  #latest = null;

  /** `statsOf()`: a promise of the getStats digest or null; `refresh()` fetches the room. */
  constructor(details, list, short, { statsOf, refresh }) {
    this.#details = details;
    this.#short = short;
    this.#statsOf = statsOf;
    this.#refresh = refresh;
    this.#cells = FIGURES.map(([label]) => {
      const [box, term, value] = ['div', 'dt', 'dd'].map((name) => document.createElement(name));
      term.textContent = label;
      value.textContent = SAY.none;
      box.append(term, value);
      list.append(box);
      return value;
    });
  }

  start(roster) {
    this.stop();
    this.#timer = setInterval(() => void this.#tick(roster), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#past = [];
    this.#latest = null;
  }

  async #tick(roster) {
    this.#latest = await this.#statsOf();
    if (this.#latest) this.#past = [...this.#past, this.#latest].slice(-LOOKBACK);
    this.show(roster);
    if (this.#details.open) await this.#refresh();
  }

  show(roster) {
    const stats = this.#latest;
    const rtt = stats?.rttMs ?? roster.mine?.rttMs ?? null;
    const known = { ticks: roster.ticks, mine: roster.mine, stats, rtt, downLoss: lossOver(this.#past) };
    FIGURES.forEach(([, text, value, warn, bad], index) => {
      const cell = this.#cells[index];
      cell.textContent = text(known);
      cell.dataset.tone = toneOf(value?.(known), warn, bad);
    });
    this.#short.textContent = `round trip ${milli(rtt)}, loss ${percent(known.downLoss)}`;
  }
}

function lossOver(past) {
  if (past.length < 2) return null;
  const lost = Math.max(0, past.at(-1).lost - past[0].lost);
  const received = past.at(-1).received - past[0].received;
  return lost + received > 0 ? lost / (lost + received) : 0;
}

function toneOf(value, warn, bad) {
  if (value === null || value === undefined || value < warn) return 'quiet';
  return value < bad ? 'warn' : 'bad';
}
