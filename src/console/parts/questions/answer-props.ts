/** The properties of a form for an answer. */
export interface AnswerProps {
  /** The name under which the page keeps what was typed. */
  draft: string;
  isBusy: boolean;
  onAnswer: (answer: unknown) => void;
}
