// How loud I hear each of the others: by leg, kept for this tab's reloads, and carried to the leg
// that takes the place of one. The server carries its gains in the same way.

const NORMAL = 100;
const MOST = 256; // of people who went, none is remembered for ever

/** 0..200 percent as contract §4's gain: "mute", null for 100 %, else dB. */
export function gainOf(percent) {
  if (percent === 0) return 'mute';
  return percent === NORMAL ? null : Math.round(2000 * Math.log10(percent / NORMAL)) / 100;
}

export class Volumes {
  #percents;
  #keep;

  /** `saved`: what `keep` was last given, or anything else that a store may hold. */
  constructor(saved, keep) {
    const known = saved && typeof saved === 'object' ? Object.entries(saved) : [];
    this.#percents = new Map(known.filter(([, percent]) => percent >= 0 && percent <= 200));
    this.#keep = keep;
  }

  /** Percent; 100 as long as nothing else was asked for. */
  of(id) { return this.#percents.get(id) ?? NORMAL; }

  set(id, percent) {
    this.#percents.delete(id); // to the end: the oldest goes first
    if (percent !== NORMAL) this.#percents.set(id, percent);
    if (this.#percents.size > MOST) this.#percents.delete(this.#percents.keys().next().value);
    this.#keep(Object.fromEntries(this.#percents));
  }

  /** Leg `id` takes the place of `old`, which may be heard a little longer. */
  replaced(old, id) {
    if (this.#percents.has(old)) this.set(id, this.of(old));
  }

  /** What a leg of mine that inherited nothing has to be told, of the legs in `ids`. */
  gains(ids) {
    const told = [...ids].filter((id) => this.of(id) !== NORMAL);
    return Object.fromEntries(told.map((id) => [id, gainOf(this.of(id))]));
  }

  clear() { this.#percents.clear(); }
}
