import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { minimalSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { styleNonce } from "../boot.ts";

export interface CodeEditorProps {
  /** The name of the editor for screen readers. */
  label: string;
  value: string;
  onChange?: (value: string) => void;
  isReadOnly?: boolean;
  /** The language of the text. "json" checks the syntax while a person types. */
  language?: "json" | "text";
}

const theme = EditorView.theme({
  "&": { fontSize: "0.8125rem", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-content": { fontFamily: "var(--font-mono, ui-monospace, monospace)", caretColor: "var(--text)", padding: "0.5rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line)" },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: [tags.separator, tags.brace, tags.squareBracket], color: "var(--muted)" },
]);

const parse = jsonParseLinter();
/** Returns the problems of a text that should be JSON. An empty text has none, because a field may be left empty. */
const jsonProblems = (view: EditorView) => (view.state.doc.toString().trim() === "" ? [] : parse(view));

/** The code editor, which uses the library CodeMirror. It has a file of its own, so that its code is loaded only by pages that show it. */
export default function CodeMirror({ label, value, onChange, isReadOnly = false, language = "json" }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const initial = useRef({ value, label, isReadOnly, language });
  useEffect(() => {
    const { value: doc, label: name, isReadOnly: isFixed, language: kind } = initial.current;
    const extensions = [
      minimalSetup, // binds no key to Tab, so that Tab moves the focus out of the editor
      ...(kind === "json" ? [json(), ...(isFixed ? [] : [linter(jsonProblems)])] : []),
      syntaxHighlighting(colours),
      theme,
      EditorView.lineWrapping,
      EditorView.cspNonce.of(styleNonce),
      EditorView.contentAttributes.of({ "aria-label": name }),
      EditorState.readOnly.of(isFixed),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) change.current?.(update.state.doc.toString());
      }),
    ];
    const view = new EditorView({ parent: place.current ?? document.body, state: EditorState.create({ doc, extensions }) });
    return () => view.destroy();
  }, []);
  return <div ref={place} className="max-h-[60vh] overflow-auto rounded-md border border-line" />;
}
