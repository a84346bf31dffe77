import { useMutation } from "@tanstack/react-query";
import { answerOf, api } from "../../api.ts";
import { queries } from "../../live.ts";
import { ConfirmDialog } from "../../parts/dialog.tsx";
import { differences } from "../../parts/diff.ts";
import { DifferenceList } from "../../parts/difference-list.tsx";
import { Refusal } from "../../parts/refusal.tsx";
import { tell } from "../../parts/toast.tsx";
import { type Assistant, contentOf, type Version } from "./reads.ts";

interface Props {
  assistant: Assistant;
  version: Version;
  onClose: () => void;
}

/** Asks for confirmation before an older version becomes the latest, and shows how the older version differs from the present one. */
export function SetLatest({ assistant, version, onClose }: Props) {
  const { assistant_id: id } = assistant;
  const set = useMutation({
    mutationFn: () =>
      answerOf(
        api.POST("/assistants/{assistantId}/latest", {
          params: { path: { assistantId: id } },
          body: { version: version.version },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["assistants"] });
      tell(`Version ${version.version} is the latest.`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Make version ${version.version} the latest?`}
      action="Make latest"
      isBusy={set.isPending}
      onConfirm={() => set.mutate()}
      onClose={onClose}
    >
      <div className="space-y-3">
        <p>New runs and crons use it. Runs that were created before keep what they have. No version is lost.</p>
        <DifferenceList label="What changes" differences={differences(contentOf(assistant), contentOf(version))} />
        <Refusal error={set.error} />
      </div>
    </ConfirmDialog>
  );
}
