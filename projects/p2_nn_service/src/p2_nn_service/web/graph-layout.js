// Where the nodes of a graph stand: a column for each depth, inputs right before they are used, few crossings. No DOM.
//
//   layout(graph, index) → { at: Map(id → [column, row]), columns, rows }

const SWEEPS = 6;

export function layout({ nodes }, index) {
  const column = columnsOf(nodes, index);
  const n = 1 + Math.max(...column.values());
  const layers = Array.from({ length: n }, (_, k) => nodes.filter((node) => column.get(node.id) === k).map((node) => node.id));
  const rows = Math.max(...layers.map((layer) => layer.length));
  const height = new Map();
  const spread = (layer) => layer.forEach((id, k) => height.set(id, ((k + 0.5) * rows) / layer.length));
  layers.forEach(spread);
  const neighbours = (id) => [...index.by.get(id).inputs, ...index.uses.get(id).map((use) => use.node.id)];
  const mean = (id) => { const near = neighbours(id); return near.reduce((sum, one) => sum + height.get(one), 0) / Math.max(1, near.length); };
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      const wanted = new Map(layer.map((id) => [id, mean(id)]));
      layer.sort((a, b) => wanted.get(a) - wanted.get(b));
      spread(layer);
    }
  }
  return { at: new Map(nodes.map(({ id }) => [id, [column.get(id), height.get(id)]])), columns: n, rows };
}

function columnsOf(nodes, { by, uses }) {
  const depth = new Map();
  const deep = (id) => {
    if (!depth.has(id)) { const { inputs } = by.get(id); depth.set(id, inputs.length ? 1 + Math.max(...inputs.map(deep)) : 0); }
    return depth.get(id);
  };
  nodes.forEach((node) => deep(node.id));
  nodes.filter((node) => !node.inputs.length && uses.get(node.id).length).forEach((node) => depth.set(node.id, Math.min(...uses.get(node.id).map((use) => depth.get(use.node.id))) - 1));
  return depth;
}
