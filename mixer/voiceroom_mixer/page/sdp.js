// The little SDP that a WHIP client has to read: ICE restart fragments (RFC 8840, RFC 9725 §4.3).

const lines = (text) => text.split(/\r?\n/).filter(Boolean);
const first = (all, prefix) => all.find((line) => line.startsWith(prefix));

/** The ICE credentials of `offer` as an application/trickle-ice-sdpfrag body. */
export function fragmentOf(offer) {
  const all = lines(offer);
  const wanted = ['a=group:BUNDLE', 'm=audio', 'a=mid:', 'a=ice-ufrag:', 'a=ice-pwd:'];
  return wanted.map((prefix) => first(all, prefix)).filter(Boolean).join('\r\n') + '\r\n';
}

/**
 * The earlier `answer` with the credentials and candidates of `fragment` in the place of its own,
 * under a higher version of `o=` (RFC 3264 §8).
 */
export function restartedAnswer(answer, fragment) {
  const news = lines(fragment);
  const ufrag = first(news, 'a=ice-ufrag:');
  const pwd = first(news, 'a=ice-pwd:');
  if (!ufrag || !pwd) throw new TypeError('the ICE restart was answered without credentials');
  const candidates = news.filter(isCandidate);
  const kept = lines(answer).filter((line) => !candidates.length || !isCandidate(line));
  const out = kept.map((line) => {
    if (line.startsWith('o=')) return nextVersion(line);
    if (line.startsWith('a=ice-ufrag:')) return ufrag;
    return line.startsWith('a=ice-pwd:') ? [pwd, ...candidates].join('\r\n') : line;
  });
  return out.join('\r\n') + '\r\n';
}

function isCandidate(line) {
  return line.startsWith('a=candidate:') || line === 'a=end-of-candidates';
}

function nextVersion(origin) {
  const parts = origin.split(' ');
  parts[2] = String(BigInt(parts[2]) + 1n);
  return parts.join(' ');
}

/** The ICE user name of an answer or fragment. */
export function ufragOf(text) {
  return first(lines(text), 'a=ice-ufrag:')?.slice('a=ice-ufrag:'.length) ?? '';
}

/** The ICE servers of a `Link` header (RFC 9725 §4.6). */
export function iceServersOf(link) {
  const entries = (link ?? '').matchAll(/<([^>]+)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g);
  const servers = [];
  for (const [, urls, rest] of entries) {
    const params = Object.fromEntries(
      [...rest.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)].map(([, k, v]) => [k, v.replace(/\\(.)/g, '$1')]),
    );
    if (params.rel !== 'ice-server') continue;
    servers.push(params.username ? { urls, username: params.username, credential: params.credential ?? '' } : { urls });
  }
  return servers;
}
