// Package check holds what the Go clients share: comparing, failing, and the records they write.
package check

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
)

const (
	// FirstTimestamp is the time of a partition's first record, ms; each next one is 10 ms later.
	FirstTimestamp = 1_700_000_000_000
	// MaxMessageBytes is the max.message.bytes of the topics: the largest record is 5 MB.
	MaxMessageBytes = 6 << 20
)

// Client is the name under which failures are told.
var Client = "client"

// Comparisons counts what was compared and found equal.
var Comparisons int

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record, without what only one client knows.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Timestamp  int64
}

// Fail ends the run with a message.
func Fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, Client+": FAILED: "+format+"\n", arguments...)
	os.Exit(1)
}

// Must ends the run on an error.
func Must(what string, err error) {
	if err != nil {
		Fail("%s: %v", what, err)
	}
}

// Equal ends the run on a difference.
func Equal[T comparable](what string, got, wanted T) {
	if got != wanted {
		Fail("%s: %v instead of %v", what, got, wanted)
	}
	Comparisons++
}

// EqualBytes ends the run on a difference; null and empty differ.
func EqualBytes(what string, got, wanted []byte) {
	if !bytes.Equal(got, wanted) || (got == nil) != (wanted == nil) {
		Fail("%s: %d bytes (%.60q) instead of %d (%.60q)", what, len(got), got, len(wanted), wanted)
	}
	Comparisons++
}

// Records are what is written to a partition: null and empty keys and values, headers, sizes from
// nothing to 5 MB.
func Records(partition int) []Record {
	var out []Record
	add := func(key, value []byte, headers ...Header) {
		out = append(out, Record{key, value, headers, FirstTimestamp + int64(len(out))*10})
	}
	add(nil, []byte("no key"))
	add([]byte("no value"), nil)
	add(nil, nil)
	add([]byte{}, []byte{})
	add([]byte("headers"), []byte("x"), Header{"a", []byte("1")}, Header{"a", []byte("2")},
		Header{"empty", []byte{}}, Header{"null", nil})
	for index := range 300 {
		var key []byte
		if index%3 != 0 {
			key = fmt.Appendf(nil, "k%d", index%7)
		}
		add(key, bytes.Repeat(fmt.Appendf(nil, "line %06d of a log\n", index), index%5))
	}
	add([]byte("noise"), noise(70_000, int64(partition)))
	add([]byte("zeros"), make([]byte, 900_000))
	add([]byte("big"), noise(5<<20-4096, int64(partition)+100))
	add([]byte("after big"), []byte("end"))
	return out
}

func noise(size int, seed int64) []byte {
	out := make([]byte, size)
	rand.New(rand.NewSource(seed)).Read(out)
	return out
}
