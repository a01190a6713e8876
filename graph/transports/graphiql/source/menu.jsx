// The menu of example operations; each opens in a tab of its own.
import { DropdownMenu, pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useEffect, useRef } from 'react'

export function ExamplesMenu({ examples }) {
  const { activeTabIndex, queryEditor, variableEditor } = useGraphiQL(
    pick('activeTabIndex', 'queryEditor', 'variableEditor'),
  )
  const { addTab, stop } = useGraphiQLActions()
  const chosen = useRef(false)

  useEffect(() => {
    document.querySelector('.graphiql-tab-active')?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
  }, [activeTabIndex])

  const open = ({ query, variables }) => {
    stop() // else what comes for the tab that is left would be shown in the new one
    addTab()
    queryEditor.setValue(query)
    variableEditor.setValue(variables)
    chosen.current = true
  }
  const focusEditor = (event) => {
    if (!chosen.current) return
    chosen.current = false
    event.preventDefault()
    queryEditor.focus()
  }
  return (
    <DropdownMenu>
      <DropdownMenu.Button className="bar-button" disabled={!queryEditor || !variableEditor || !examples.length}>
        Examples ▾
      </DropdownMenu.Button>
      <DropdownMenu.Content className="examples" collisionPadding={8} onCloseAutoFocus={focusEditor}>
        <div className="examples-columns">
          {examples.map(({ title, operations }) => (
            <div key={title} className="examples-group" role="group" aria-label={title}>
              <div className="examples-title" aria-hidden="true">
                {title}
              </div>
              {operations.map((operation) => (
                <DropdownMenu.Item key={operation.name} title={operation.about} onSelect={() => open(operation)}>
                  {operation.name} <span className="examples-kind">{operation.kind}</span>
                </DropdownMenu.Item>
              ))}
            </div>
          ))}
        </div>
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
