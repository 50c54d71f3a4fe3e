// The chain rule at one node, in numbers: what each use of it adds to its gradient. No DOM. Knows `BackpropGraph`.
//
//   usesOf(node, index) → [{ by: node, local: 0.42, above: 0.83, share: 0.35 }, …]     the gradient is their sum
//   backwards(graph) → ids in the order in which gradients become known, the loss first

export function indexOf({ nodes }) {
  const by = new Map(nodes.map((node) => [node.id, node]));
  const uses = new Map(nodes.map((node) => [node.id, []]));
  nodes.forEach((node) => node.inputs.forEach((id, at) => uses.get(id).push({ node, at })));
  return { by, uses };
}

export function usesOf(node, index) {
  return index.uses.get(node.id).map(({ node: user, at }) => {
    const local = user.local[at].derivative;
    return { by: user, local, above: user.gradient, share: local * user.gradient };
  });
}

/** The reverse of an order in which every node stands after its inputs; what the loss does not use is left out. */
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
  visit("loss");
  return order.reverse();
}
