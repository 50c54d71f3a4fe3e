// The chain rule at one node, in numbers: what each use of it adds to its gradient. No DOM.
//
//   usesOf(node, graph) → [{ by: "tanh", local: 0.42, above: 0.83, share: 0.35 }, …]     the gradient is their sum
//   backwards(graph) → ids in the order in which gradients become known, the loss first
// A graph is { nodes: [{ id, label, op, value, gradient, inputs: [ids], local?: [∂node/∂input, …] }], loss: id or value }.

const RULES = {
  "+": () => 1, add: () => 1,
  "-": (_, at) => (at ? -1 : 1), sub: (_, at) => (at ? -1 : 1),
  "*": (values, at) => product(values, at), mul: (values, at) => product(values, at),
  "/": (values, at) => (at ? -values[0] / values[1] ** 2 : 1 / values[1]), div: (values, at) => (at ? -values[0] / values[1] ** 2 : 1 / values[1]),
  neg: () => -1,
  square: ([x]) => 2 * x,
  tanh: ([x]) => 1 - Math.tanh(x) ** 2,
  relu: ([x]) => (x > 0 ? 1 : 0),
  sigmoid: ([x]) => { const s = 1 / (1 + Math.exp(-x)); return s * (1 - s); },
  exp: ([x]) => Math.exp(x),
  log: ([x]) => 1 / x,
};

const product = (values, at) => values.reduce((all, value, k) => (k === at ? all : all * value), 1);

export function indexOf({ nodes }) {
  const by = new Map(nodes.map((node) => [node.id, node]));
  const uses = new Map(nodes.map((node) => [node.id, []]));
  nodes.forEach((node) => node.inputs.forEach((id, at) => uses.get(id).push({ node, at })));
  return { by, uses };
}

/** ∂node/∂input, where the graph says it or the operation is known; null else. */
export function localOf(node, at, { by }) {
  if (node.local?.[at] !== undefined) return node.local[at];
  const rule = RULES[node.op];
  return rule ? rule(node.inputs.map((id) => by.get(id).value), at) : null;
}

export function usesOf(node, index) {
  return index.uses.get(node.id).map(({ node: user, at }) => {
    const local = localOf(user, at, index);
    return { by: user, local, above: user.gradient, share: local === null ? null : local * user.gradient };
  });
}

/** The reverse of an order in which every node stands after its inputs. */
export function backwards({ nodes }) {
  const { by } = indexOf({ nodes });
  const order = [];
  const seen = new Set();
  const visit = (id) => {
    if (seen.has(id)) return;
    seen.add(id);
    by.get(id).inputs.forEach(visit);
    order.push(id);
  };
  nodes.forEach((node) => visit(node.id));
  return order.reverse();
}
