// Questions to begin with, of the built-in collection. It says nothing of the last: the refusal is worth seeing.

export const EXAMPLES = [
  { question: "Which three protocols do the services meet over?", about: "A fact of one passage" },
  { question: "What does serving load of what training uses?", about: "A comparison" },
  { question: "Who won the football world cup in 2014?", about: "Not in the documents" },
];
