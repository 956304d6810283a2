// getStats in a handful of numbers. Missing ones are null: browsers differ in what they tell.

const ms = (seconds) => (seconds === undefined ? null : seconds * 1000);

export function digestOf(report) {
  const all = [...report.values()];
  const of = (type) => all.find((entry) => entry.type === type && (entry.kind ?? 'audio') === 'audio') ?? {};
  const inbound = newest(all);
  const outbound = of('outbound-rtp');
  const far = of('remote-inbound-rtp');
  const pair = selectedPair(report, all) ?? {};
  const remote = report.get(pair.remoteCandidateId) ?? {};
  const transport = all.find((entry) => entry.type === 'transport') ?? {};
  return {
    ssrc: inbound.ssrc ?? null,
    received: inbound.packetsReceived ?? 0,
    lost: inbound.packetsLost ?? 0,
    jitterMs: ms(inbound.jitter),
    concealedSamples: inbound.concealedSamples ?? null,
    silentConcealedSamples: inbound.silentConcealedSamples ?? null,
    totalSamples: inbound.totalSamplesReceived ?? null,
    sent: outbound.packetsSent ?? 0,
    upLoss: far.fractionLost ?? null,
    upLost: far.packetsLost ?? null,
    rttMs: ms(pair.currentRoundTripTime) ?? ms(far.roundTripTime),
    remote: remote.address ? `${remote.address}:${remote.port}` : null,
    remoteUfrag: remote.usernameFragment ?? null,
    dtls: transport.dtlsState ?? null,
    pairChanges: transport.selectedCandidatePairChanges ?? null,
  };
}

/** The stream that is heard now: after a take-over there are two, and the old one stands still. */
function newest(all) {
  const streams = all.filter(({ type, kind }) => type === 'inbound-rtp' && (kind ?? 'audio') === 'audio');
  const at = ({ lastPacketReceivedTimestamp }) => lastPacketReceivedTimestamp ?? 0;
  return streams.reduce((best, one) => (at(one) > at(best) ? one : best), streams[0] ?? {});
}

function selectedPair(report, all) {
  const transport = all.find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId);
  if (transport) return report.get(transport.selectedCandidatePairId);
  return all.find((entry) => entry.type === 'candidate-pair' && (entry.selected ?? entry.nominated) && entry.state === 'succeeded');
}
