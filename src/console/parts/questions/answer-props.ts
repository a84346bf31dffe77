/** The properties of a form for an answer. */
export interface AnswerProps {
  /** The name under which the page keeps the typed texts of the form. */
  draft: string;
  isBusy: boolean;
  onAnswer: (answer: unknown) => void;
}
