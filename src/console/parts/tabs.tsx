import { Tabs as Radix } from "radix-ui";
import type { ReactNode } from "react";

interface TabsProps {
  label: string;
  tabs: { id: string; label: ReactNode; content: ReactNode }[];
  /**
   * The id of the open tab, for a page that stores the id itself, for example in the URL. If undefined, the component remembers the open
   * tab.
   */
  open?: string | undefined;
  onOpen?: (id: string) => void;
}

/** Tabs with their content. Only the content of the open tab is rendered. */
export function Tabs({ label, tabs, open, onOpen }: TabsProps) {
  const state = open === undefined ? { defaultValue: tabs[0]?.id ?? "" } : { value: open };
  return (
    <Radix.Root {...state} {...(onOpen && { onValueChange: onOpen })} className="flex min-h-0 flex-1 flex-col">
      <Radix.List aria-label={label} className="flex gap-1 overflow-x-auto border-b border-line px-2">
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.id}
            value={tab.id}
            className="-mb-px border-b-2 border-transparent px-2.5 py-2 text-sm whitespace-nowrap text-muted hover:text-text focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:text-text"
          >
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.id} value={tab.id} className="min-h-0 flex-1">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
