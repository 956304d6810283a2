// The life of a call as a table, and what a failure means for it. No DOM, no timers, no network.

/** state -> step -> next state; a step that a state does not list is not taken. */
export const TABLE = {
  idle: { join: 'joining' },
  joining: { joined: 'live', refused: 'idle', lost: 'reconnecting', end: 'ended' },
  live: { trouble: 'restarting', lost: 'reconnecting', end: 'ended' },
  restarting: { recovered: 'live', lost: 'reconnecting', end: 'ended' },
  reconnecting: { joined: 'live', lost: 'reconnecting', refused: 'ended', end: 'ended' },
  ended: { join: 'joining' },
};

export const RTP_SILENCE_MS = 4000; // a connected leg gets a packet every 400 ms: ten missed
export const DISCONNECTED_MS = 800; // ICE may be disconnected for a moment without harm
export const RESTART_MS = 5000;
export const CONNECT_MS = 10_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
const TRIES_WITHOUT_MEDIA = 3;

/** Wait before try `attempt` (0, 1, ...): doubling, bounded, spread over its upper half. */
export function backoffMs(attempt, random) {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 10));
  return ceiling * (0.5 + random / 2);
}

/**
 * What to do after a failed try to join: {step, waitMs}. A refusal that will not change by
 * waiting (401, 403, 404, any other 4xx but 408 and 429, a full room) is final.
 */
export function verdict(failure, { attempt, everLive, random }) {
  const { status, code } = failure;
  if (code === 'no_media' && !everLive && attempt + 1 >= TRIES_WITHOUT_MEDIA) return { step: 'refused', waitMs: 0 };
  const passing = status === 0 || status >= 500 || status === 429 || status === 408;
  if (!passing || (code === 'room_full' && !everLive)) return { step: 'refused', waitMs: 0 };
  const asked = (failure.retryAfterS ?? 0) * 1000;
  const own = backoffMs(attempt, random);
  return { step: 'lost', waitMs: asked > 0 ? asked * (1 + random / 4) : own };
}
