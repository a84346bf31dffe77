/** The properties of a form for an answer. */
export interface AnswerProps {
  /** The key under which the page saves the text that the person has typed into the form. */
  draft: string;
  isBusy: boolean;
  onAnswer: (answer: unknown) => void;
}
