// The join token: taken out of the address bar at once, kept for this tab's reloads only.

const slot = (room) => `voiceroom:token:${room}`;
const memory = (room) => `voiceroom:call:${room}`;

/** Moves `?token=` from the address into the session. Returns the token in force, or ''. */
export function takeToken(room, place = location, past = history, store = sessionStorage) {
  const url = new URL(place.href);
  const given = url.searchParams.get('token');
  if (given === null) return store.getItem(slot(room)) ?? '';
  url.searchParams.delete('token');
  past.replaceState(past.state, '', url.pathname + url.search + url.hash);
  if (store.getItem(slot(room)) !== given) store.removeItem(memory(room));
  store.setItem(slot(room), given);
  return given;
}

export function keepToken(room, token) {
  sessionStorage.setItem(slot(room), token);
}

export function dropToken(room) {
  sessionStorage.removeItem(slot(room));
}

/** What a reload needs to come back as the same person: {leg, name, device, muted, listen, volumes}. */
export function recallCall(room) {
  return parsed(sessionStorage.getItem(memory(room)));
}

export function rememberCall(room, call) {
  sessionStorage.setItem(memory(room), JSON.stringify({ ...recallCall(room), ...call }));
}

export function forgetCall(room) {
  sessionStorage.removeItem(memory(room));
}

/** The claims of a token, unverified: only for what the page shows. {} when it is not a JWT. */
export function claimsOf(token) {
  const middle = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  try {
    const bytes = Uint8Array.from(atob(middle), (c) => c.charCodeAt(0));
    return parsed(new TextDecoder().decode(bytes)) ?? {};
  } catch (error) {
    if (error instanceof DOMException) return {}; // not base64: the server will say so
    throw error;
  }
}

function parsed(text) {
  if (!text) return null;
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null; // a stranger's value is no value
    throw error;
  }
}
