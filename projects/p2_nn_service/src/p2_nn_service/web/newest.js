// Requests of which only the newest matters: one is under way, the last wish waits, those between are dropped.
//
//   const ask = newest((asked) => request(…), { done, failed, busy: (isBusy) => … });   ask(asked)   ask.drop()
// So a stroke that is being drawn is answered as often as the service can, and never out of order.

export function newest(act, { done, failed, busy }) {
  let isBusy = false;
  let wish = null;
  let turn = 0;
  const go = async () => {
    busy(isBusy = true);
    while (wish) {
      const { asked } = wish;
      const mine = turn;
      wish = null;
      try {
        const answer = await act(asked);
        if (mine === turn) done(answer, asked);
      } catch (error) {
        if (mine === turn && !wish) failed(error, asked);
      }
    }
    busy(isBusy = false);
  };
  const ask = (asked) => {
    wish = { asked };
    if (!isBusy) go();
  };
  ask.drop = () => { wish = null; turn += 1; };
  return ask;
}
