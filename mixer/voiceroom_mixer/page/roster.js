// Who is in the room: the snapshot of GET /rooms/{room}, kept up to date by the event stream.

const SILENT_DBOV = -127;

/** Events: `change` (people or their state), `levels`, `room` (locked, muteAll), `timing`,
 * `came` and `went` {detail: participant}, `mine` {detail: {muted}} when my mute changed. */
export class Roster extends EventTarget {
  people = new Map(); // id -> participant, in order of joining
  locked = false;
  muteAll = false;
  ticks = null;
  me = '';

  get mine() { return this.people.get(this.me) ?? null; }

  clear() {
    this.people.clear();
    this.me = '';
    this.#tell('change');
  }

  /** A whole room, as GET /rooms/{room} gives it. */
  snapshot(room) {
    const wasMuted = this.mine?.muted;
    this.people = new Map(room.participants.map((person) => [person.id, person]));
    this.ticks = room.ticks ?? this.ticks;
    Object.assign(this, { locked: room.locked, muteAll: room.muteAll });
    if (this.mine && this.mine.muted !== wasMuted) this.#tell('mine', { muted: this.mine.muted });
    for (const type of ['change', 'room', 'timing']) this.#tell(type);
  }

  /** One event of the stream; false for those that are no matter of the roster. */
  apply(type, data) {
    const act = {
      joined: () => this.#joined(data),
      left: () => this.#left(data),
      talking: () => this.#update(data.id, { talking: true }),
      silent: () => this.#update(data.id, { talking: false }),
      muted: () => this.#muted(data),
      levels: () => this.#levels(data),
      locked: () => { this.locked = data.locked; this.#tell('room'); },
      timing: () => { this.ticks = data.ticks ?? data; this.#tell('timing'); },
    }[type];
    act?.();
    return act !== undefined;
  }

  #joined(person) {
    const known = this.people.has(person.id);
    this.people.set(person.id, { ...this.people.get(person.id), ...person });
    this.#tell('change');
    if (!known && person.id !== this.me) this.#tell('came', person);
  }

  #left({ id }) {
    const person = this.people.get(id);
    if (!person) return;
    this.people.delete(id);
    this.#tell('change');
    if (id !== this.me) this.#tell('went', person);
  }

  #muted({ all, id, muted }) {
    if (all) {
      this.muteAll = muted;
      this.#tell('room');
      return;
    }
    this.#update(id, { muted });
    if (id === this.me) this.#tell('mine', { muted });
  }

  #levels({ levels, talking }) {
    const loud = new Set(talking);
    for (const person of this.people.values()) {
      person.levelDbov = levels[person.id] ?? SILENT_DBOV;
      if (talking) person.talking = loud.has(person.id);
    }
    this.#tell('levels');
  }

  #update(id, change) {
    const person = this.people.get(id);
    if (!person) return;
    Object.assign(person, change);
    this.#tell('change');
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
