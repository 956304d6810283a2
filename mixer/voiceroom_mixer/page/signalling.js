// HTTP towards the mixer: WHIP and WHEP (RFC 9725), the room, its people. Every failure is a Refusal.

const PATIENCE_MS = 10_000;

/** An answer other than success. `status` 0: none came. `retryAfterS` is null when not given. */
export class Refusal extends Error {
  constructor(status, code, message, retryAfterS = null) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

export class Signalling {
  #base;
  #token;

  constructor(room, token) {
    this.#base = `/rooms/${encodeURIComponent(room)}`;
    this.#token = token;
  }

  set token(value) { this.#token = value; }

  get eventsUrl() { return `${this.#base}/events?token=${encodeURIComponent(this.#token)}`; }

  /** POST an offer: {leg, location, etag, sdp, link}. */
  async join(sdp, { listen, replaces, name }) {
    const given = Object.entries({ replaces, name }).filter(([, value]) => value);
    const query = given.length ? `?${new URLSearchParams(given)}` : '';
    const answer = await this.#call('POST', `${this.#base}/${listen ? 'whep' : 'whip'}${query}`, {
      body: sdp, type: 'application/sdp',
    });
    const location = new URL(answer.headers.get('Location') ?? '', answer.url).pathname;
    return {
      leg: decodeURIComponent(location.split('/').pop()),
      location,
      sdp: await answer.text(),
      link: answer.headers.get('Link'),
    };
  }

  /** ICE restart of the leg at `location`: the answering fragment. */
  async restartIce(location, fragment) {
    const answer = await this.#call('PATCH', location, {
      body: fragment, type: 'application/trickle-ice-sdpfrag', headers: { 'If-Match': '*' },
    });
    return answer.text();
  }

  /** Leaves; survives the page (`keepalive`). A leg that is gone already is as good. */
  async leave(location) {
    try {
      await this.#call('DELETE', location, { keepalive: true });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  async room() { return (await this.#call('GET', this.#base)).json(); }

  async patchRoom(change) { return this.#json('PATCH', this.#base, change); }

  async patchLeg(id, change) { return this.#json('PATCH', this.#leg(id), change); }

  async kick(id) { await this.#call('DELETE', this.#leg(id)); }

  /** A token for the room's PIN. */
  async tokenByPin(pin, name) {
    const given = await this.#json('POST', `${this.#base}/token`, { pin, name }, false);
    return given.token;
  }

  #leg(id) { return `${this.#base}/legs/${encodeURIComponent(id)}`; }

  async #json(method, path, value, authorized = true) {
    const answer = await this.#call(method, path, {
      body: JSON.stringify(value), type: 'application/json', authorized,
    });
    return answer.status === 204 ? {} : answer.json();
  }

  async #call(method, path, { body, type, headers = {}, keepalive = false, authorized = true } = {}) {
    const all = { Accept: 'application/json, application/sdp;q=0.9, */*;q=0.5', ...headers };
    if (type) all['Content-Type'] = type;
    if (authorized && this.#token) all.Authorization = `Bearer ${this.#token}`;
    const answer = await this.#fetch(path, {
      method, body, keepalive, headers: all, cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw await refusalOf(answer);
    return answer;
  }

  async #fetch(path, options) {
    try {
      return await fetch(path, options);
    } catch (error) {
      throw new Refusal(0, 'network', String(error));
    }
  }
}

async function refusalOf(answer) {
  const text = await answer.text();
  let said = {};
  if ((answer.headers.get('Content-Type') ?? '').includes('json')) said = JSON.parse(text);
  const code = said.error ?? (answer.status >= 500 ? 'server' : 'refused');
  const after = Number.parseInt(answer.headers.get('Retry-After') ?? '', 10);
  return new Refusal(answer.status, code, said.message ?? text, Number.isNaN(after) ? null : after);
}
