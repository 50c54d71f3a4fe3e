// Drawings to begin with, by the class that they show; those whose class the model knows are offered. Data alone.

const shape = (size, corners, inside) => [
  { tool: "pen", size, points: [...corners, corners[0]] },
  ...(inside ? [{ tool: "fill", size, points: [inside] }] : []),
];
const line = (size, ...points) => ({ tool: "pen", size, points });

/** Points along an ellipse. */
const round = (x, y, wide, tall, from = 0, to = 2, n = 24) =>
  Array.from({ length: n + 1 }, (_, k) => Math.PI * (from + ((to - from) * k) / n)).map((angle) => [x + wide * Math.cos(angle), y + tall * Math.sin(angle)]);

export const DRAWINGS = [
  { label: "T-shirt/top", strokes: shape(3, [[330, 140], [420, 190], [580, 190], [670, 140], [900, 290], [810, 440], [720, 390], [720, 880], [280, 880], [280, 390], [190, 440], [100, 290]], [500, 500]) },
  { label: "Trouser", strokes: shape(3, [[350, 100], [650, 100], [690, 900], [550, 900], [500, 330], [450, 900], [310, 900]], [500, 200]) },
  { label: "Dress", strokes: shape(3, [[400, 80], [440, 170], [560, 170], [600, 80], [610, 380], [740, 920], [260, 920], [390, 380]], [500, 600]) },
  { label: "Bag", strokes: [...shape(3, [[130, 400], [870, 400], [910, 850], [90, 850]], [500, 600]), line(3, ...round(500, 400, 170, 150, 1, 2))] },
  { label: "Ankle boot", strokes: shape(3, [[800, 150], [540, 150], [520, 480], [320, 560], [130, 640], [100, 760], [560, 770], [620, 720], [650, 780], [800, 780], [810, 450]], [680, 400]) },
  { label: "Sneaker", strokes: shape(3, [[920, 480], [760, 520], [580, 400], [440, 540], [120, 620], [70, 740], [920, 740]], [600, 620]) },
  { label: "0", strokes: [line(7, ...round(500, 500, 210, 320))] },
  { label: "3", strokes: [line(7, ...round(470, 330, 190, 180, -0.8, 0.5), ...round(470, 680, 220, 180, -0.5, 0.8))] },
  { label: "7", strokes: [line(7, [270, 220], [730, 220], [430, 840])] },
];
