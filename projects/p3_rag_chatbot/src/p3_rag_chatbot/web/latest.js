// What is asked again and again while a person types or drags: a moment's rest, and of several answers the last alone.
//
//   const ask = latest((text, signal) => request(…), { done: show, failed: tell, busy: (isBusy) => … });
//   ask("text");          // 200 ms later, unless it is called again

const REST_MS = 200;

export function latest(work, { done, failed, busy = () => {} }) {
  let timer = null;
  let running = null;
  return (asked, { isNow = false } = {}) => {
    clearTimeout(timer);
    busy(true);
    timer = setTimeout(async () => {
      running?.abort();
      const mine = new AbortController();
      running = mine;
      try {
        const found = await work(asked, mine.signal);
        if (running === mine) done(found, asked);
      } catch (error) {
        if (running === mine && !mine.signal.aborted) failed(error, asked);
      }
      if (running === mine) busy(false);
    }, isNow ? 0 : REST_MS);
  };
}
