/** The tasks that the agents of a mesh get in each part of a round. */
export const prompts = {
  look: `Look at the board. Decide by yourself whether you should act now to bring the objective forward.
- Set shouldAct to false if others can do it better, or if nothing is left for you to do.
- touches lists every key of the board that you would change.
- expected names the key that will have changed afterwards, and its value if you know it.
- If others objected to your last intention, change it or leave it.`,
  object: `These are the intentions of the others. Object only where one would do harm or undo your work.
- block: it must not be carried out now.
- concern: it may be carried out, but with care.`,
  act: "Carry out your intention now. Answer with the new value of each key that you touch.",
};
