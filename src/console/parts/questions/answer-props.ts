/** What each form of an answer needs. */
export interface AnswerProps {
  /** The name under which the page keeps what was typed. */
  draft: string;
  isBusy: boolean;
  onAnswer: (answer: unknown) => void;
}
