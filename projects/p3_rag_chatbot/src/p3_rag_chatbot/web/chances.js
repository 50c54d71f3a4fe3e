// How top-p and temperature change the chances of the next token. Pure functions of log-probabilities at temperature 1.

/** The candidates with `before` (as the model has them, among these) and `share` (as they would be drawn). */
export function chancesOf(candidates, { temperature, topP }) {
  const before = normalised(candidates.map((one) => Math.exp(one.logprob)));
  let sum = 0;
  const isKept = before.map((share) => { const isFirst = sum < topP - 1e-9; sum += share; return isFirst; });
  const share = temperature < 0.01
    ? before.map((_, k) => (k === 0 ? 1 : 0))
    : normalised(candidates.map((one, k) => (isKept[k] ? Math.exp((one.logprob - candidates[0].logprob) / temperature) : 0)));
  return candidates.map((one, k) => ({ text: one.text, before: before[k], share: share[k] }));
}

/** The candidate that a number in 0..1 falls on. */
export function drawn(chances, at) {
  let sum = 0;
  return chances.find((one) => { sum += one.share; return at < sum; }) ?? chances.findLast((one) => one.share > 0);
}

function normalised(weights) {
  const total = weights.reduce((sum, one) => sum + one, 0);
  return weights.map((one) => one / total);
}
