// Injected by tests: records what the page plays, and decodes it to 16-bit samples at 48 kHz. A
// recorder and an offline decoder, because both work on a machine without a sound card.
(() => {
  const RATE = 48000;
  const HEADERS = 1024; // bytes of a recording without sound, at most
  let recorder = null, parts = [], began = 0;

  const decoded = async (blob) => {
    const context = new OfflineAudioContext(1, 1, RATE);
    return (await context.decodeAudioData(await blob.arrayBuffer())).getChannelData(0);
  };

  const base64 = (floats) => {
    const whole = Int16Array.from(floats, (x) => Math.max(-32768, Math.min(32767, Math.round(x * 32768))));
    const bytes = new Uint8Array(whole.buffer);
    let text = '';
    for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
    return btoa(text);
  };

  window.ear = {
    begin() {
      recorder = new MediaRecorder(window.voiceroom.stream, { audioBitsPerSecond: 128000 });
      parts = [];
      recorder.addEventListener('dataavailable', ({ data }) => parts.push(data));
      recorder.start();
      began = performance.now();
      return true;
    },
    get seconds() { return (performance.now() - began) / 1000; },
    async end() {
      const ended = new Promise((resolve) => { recorder.addEventListener('stop', resolve); });
      recorder.stop();
      await ended;
      const blob = new Blob(parts, { type: recorder.mimeType });
      return blob.size < HEADERS ? '' : base64(await decoded(blob)); // no packet yet: nothing played
    },
  };
  return true;
})()
