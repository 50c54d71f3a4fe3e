// Questions to begin with, of the built-in collection. Each is answered by it, but for the last.

export const EXAMPLES = [
  { question: "Which three protocols do the services meet over?", about: "A fact of one passage" },
  { question: "Where is a model's state kept by default?", about: "Words that the guides do not use" },
  { question: "Who won the football world cup in 2014?", about: "The documents do not say" },
];
