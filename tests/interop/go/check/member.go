package check

import (
	"encoding/json"
	"os"
	"sync"
)

var printing sync.Mutex

// Tell prints one line of JSON: what a member was assigned, or the value that it processed.
func Tell(name string, value any) {
	printing.Lock()
	defer printing.Unlock()
	Must("print", json.NewEncoder(os.Stdout).Encode(map[string]any{name: value}))
}
