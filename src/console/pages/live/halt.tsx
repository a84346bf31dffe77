import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { answerOf, api, sentenceOf } from "../../api.ts";
import { queries } from "../../live.ts";
import { Button } from "../../parts/button.tsx";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { Icon } from "../../parts/icons.tsx";
import { tell } from "../../parts/toast.tsx";
import { useMayAct } from "../../settings.ts";

const words = {
  halt: {
    button: "Halt work",
    title: "Halt all work?",
    text: "Workers on every host claim no more runs. Each running run returns to the queue after its present step. New runs are accepted, and wait.",
    done: "Work is halted.",
  },
  resume: {
    button: "Resume work",
    title: "Resume work?",
    text: "Workers claim runs again. Runs that were interrupted by the halt continue from their last step.",
    done: "Work continues.",
  },
};

/** The button that halts or continues all work of the service. It asks for a confirmation first. */
export function HaltButton({ isHalted }: { isHalted: boolean }) {
  const [isAsking, setAsking] = useState(false);
  const action = isHalted ? "resume" : "halt";
  const { button, title, text, done } = words[action];
  const change = useMutation({
    mutationFn: () => answerOf(api.POST(`/workers/${action}`)),
    onSuccess: () => tell(done),
    onError: (error) => tell(`The work could not be changed. ${sentenceOf(error)}`, true),
    onSettled: () => {
      setAsking(false);
      return queries.invalidateQueries({ queryKey: ["info"] });
    },
  });
  if (!useMayAct()) return null;
  return (
    <>
      <Button kind={isHalted ? "primary" : "plain"} icon={isHalted ? "play" : "pause"} onClick={() => setAsking(true)}>
        {button}
      </Button>
      {isAsking && (
        <ConfirmDialog
          title={title}
          action={button}
          isDangerous={!isHalted}
          isBusy={change.isPending}
          onConfirm={() => change.mutate()}
          onClose={() => setAsking(false)}
        >
          <p>{text}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

/** Shows that all work is halted, so no run is started. */
export function HaltNotice() {
  return (
    <p className="flex items-start gap-2 rounded-lg bg-warn-soft px-4 py-2.5 text-warn">
      <Icon name="pause" className="mt-0.5" />
      <span>
        <strong className="font-semibold">Work is halted.</strong> No run is claimed. New runs are accepted, and wait.
      </span>
    </p>
  );
}
