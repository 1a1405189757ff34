// Command etcd-core does with etcd's own Raft what three-cores.ts does with ours: three cores in memory and in one
// thread, messages arrive at once, disks and machines are done at once.
//
// It reads how many milliseconds a sample takes from stdin, a line each, and answers each with the commands that were committed a second.
//
// Go's collector is told to let the heap grow to five times what is alive, not twice: three logs of a few thousand entries
// are so little that it would collect a hundred times a second otherwise, which no server of etcd's does.
//
// On Debian it needs the packages golang-go and golang-etcd-server-dev.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/etcd/raft"
	"go.etcd.io/etcd/raft/raftpb"
)

const (
	leaderID     = 1
	commandBytes = 128
	// The log's prefix goes once it is so long, and so much of it stays: a log that grows for ever is slower.
	logMax    = 10_000
	logKept   = 1_000
	gcPercent = 400
	// So many writes between two looks at the clock.
	round = 50
)

var ids = []uint64{1, 2, 3}

// core is a node: Raft, its log in memory, and no state machine.
type core struct {
	node      *raft.RawNode
	storage   *raft.MemoryStorage
	committed uint64
	// Whether something was said to it that it has not acted on.
	isTouched bool
}

// cores are the three of them, and the messages between them that have not arrived.
type cores struct {
	byID [4]*core
	due  []raftpb.Message
}

func newCores() *cores {
	three := &cores{}
	for _, id := range ids {
		storage := raft.NewMemoryStorage()
		founding := raftpb.SnapshotMetadata{Index: 1, Term: 1, ConfState: raftpb.ConfState{Voters: ids}}
		must(storage.ApplySnapshot(raftpb.Snapshot{Metadata: founding}))
		node, err := raft.NewRawNode(&raft.Config{
			ID: id, ElectionTick: 10, HeartbeatTick: 1, Storage: storage, Applied: 1,
			MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 256, PreVote: true, CheckQuorum: true,
		})
		must(err)
		three.byID[id] = &core{node: node, storage: storage}
	}
	leader := three.byID[leaderID]
	must(leader.node.Campaign())
	leader.isTouched = true
	three.settle()
	if leader.node.BasicStatus().RaftState != raft.StateLeader {
		log.Fatal("the first core was not elected")
	}
	return three
}

// write proposes commands in one message, and goes on until nothing is left to do.
func (three *cores) write(entries []raftpb.Entry) {
	leader := three.byID[leaderID]
	must(leader.node.Step(raftpb.Message{Type: raftpb.MsgProp, From: leaderID, Entries: entries}))
	leader.isTouched = true
	three.settle()
}

func (three *cores) settle() {
	for three.act() || len(three.due) > 0 {
		for _, message := range three.due {
			to := three.byID[message.To]
			must(to.node.Step(message))
			to.isTouched = true
		}
		three.due = three.due[:0]
	}
}

// act has each core that was told something do what it wants done. It returns whether one did.
func (three *cores) act() bool {
	hasActed := false
	for _, id := range ids {
		core := three.byID[id]
		for core.isTouched && core.node.HasReady() {
			three.take(core, core.node.Ready())
			hasActed = true
		}
		core.isTouched = false
	}
	return hasActed
}

func (three *cores) take(core *core, ready raft.Ready) {
	if !raft.IsEmptyHardState(ready.HardState) {
		must(core.storage.SetHardState(ready.HardState))
	}
	must(core.storage.Append(ready.Entries))
	three.due = append(three.due, ready.Messages...)
	core.committed += uint64(len(ready.CommittedEntries))
	core.node.Advance(ready)
	core.trim()
}

func (core *core) trim() {
	first, err := core.storage.FirstIndex()
	must(err)
	last, err := core.storage.LastIndex()
	must(err)
	if last >= first+logMax {
		must(core.storage.Compact(last - logKept))
	}
}

// sample writes for some time, and returns how many commands the leader saw committed a second.
func (three *cores) sample(duration time.Duration, perMessage int) float64 {
	data := make([]byte, commandBytes)
	leader := three.byID[leaderID]
	before, started := leader.committed, time.Now()
	for time.Since(started) < duration {
		for at := 0; at < round; at++ {
			entries := make([]raftpb.Entry, perMessage)
			for place := range entries {
				entries[place].Data = data
			}
			three.write(entries)
		}
	}
	return float64(leader.committed-before) / time.Since(started).Seconds()
}

func main() {
	perMessage := flag.Int("per-message", 1, "commands in a message")
	flag.Parse()
	debug.SetGCPercent(gcPercent)
	raft.SetLogger(&raft.DefaultLogger{Logger: log.New(io.Discard, "", 0)})
	three := newCores()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		ms, err := strconv.ParseFloat(lines.Text(), 64)
		must(err)
		fmt.Println(three.sample(time.Duration(ms*float64(time.Millisecond)), *perMessage))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
