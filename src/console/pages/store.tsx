import { Link } from "wouter";
import { buttonLook } from "../parts/button.tsx";
import { Page } from "../parts/page.tsx";
import { useMayAct } from "../settings.ts";
import { ItemForm } from "./store/item-form.tsx";
import { ItemList } from "./store/item-list.tsx";
import { ItemView } from "./store/item-view.tsx";
import { linkTo, type Navigation, usePlace } from "./store/place.ts";
import { Tree } from "./store/tree.tsx";

/** The page of the store: its namespaces, their items, and the open item. On a narrow screen, the open item fills the page. */
export default function Store() {
  const { place, go } = usePlace();
  const mayAct = useMayAct();
  const hasPane = place.key !== undefined || (place.isNew && mayAct);
  const wide = hasPane ? "lg:grid-cols-[14rem_minmax(18rem,24rem)_minmax(0,1fr)]" : "lg:grid-cols-[14rem_minmax(0,1fr)]";
  const pane = "min-w-0 lg:overflow-y-auto";
  return (
    <Page
      title="Store"
      actions={
        mayAct && (
          <Link href={linkTo({ namespace: place.namespace, isNew: true })} className={buttonLook("primary")}>
            New item
          </Link>
        )
      }
    >
      <div className={`lg:grid lg:h-[calc(100dvh-3.5rem)] ${wide}`}>
        <div
          className={`${pane} border-line max-lg:max-h-64 max-lg:overflow-y-auto max-lg:border-b lg:border-r ${hasPane ? "max-lg:hidden" : ""}`}
        >
          <Tree namespace={place.namespace} />
        </div>
        <div className={`${pane} ${hasPane ? "border-line max-lg:hidden lg:border-r" : ""}`}>
          <ItemList place={place} go={go} />
        </div>
        {hasPane && (
          <div className={pane}>
            <Pane place={place} go={go} />
          </div>
        )}
      </div>
    </Page>
  );
}

function Pane({ place, go }: Navigation) {
  const close = () => go({ key: undefined, isNew: false });
  return (
    <>
      <Link
        href={linkTo({ ...place, key: undefined, isNew: false })}
        className="block border-b border-line px-4 py-2.5 text-sm text-accent hover:underline lg:hidden"
      >
        Back to the items
      </Link>
      {place.key === undefined ? (
        <ItemForm
          key="new"
          namespace={place.namespace}
          onDone={({ namespace, key }) => go({ namespace, key, keyNamespace: namespace, isNew: false, query: "", filter: "", offset: 0 })}
          onCancel={close}
        />
      ) : (
        <ItemView
          key={JSON.stringify([place.keyNamespace, place.key])}
          namespace={place.keyNamespace}
          itemKey={place.key}
          onClose={close}
        />
      )}
    </>
  );
}
