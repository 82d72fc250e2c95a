import socket,struct,sys,time
prio=int(sys.argv[1]);ttl=int(sys.argv[2]);pw=sys.argv[3];n=int(sys.argv[4])
adv=int(sys.argv[5]) if len(sys.argv)>5 else 1
ip=sys.argv[6] if len(sys.argv)>6 else '192.168.11.100'
def ck(b):
    s=sum(struct.unpack('!%dH'%(len(b)//2),b)); s=(s>>16)+(s&0xffff); s+=s>>16; return ~s&0xffff
body=struct.pack('!BBBBBBH',0x21,82,prio,1,1,adv,0)+socket.inet_aton(ip)+pw.encode().ljust(8,b'\0')
c=ck(body); body=body[:6]+struct.pack('!H',c)+body[8:]
s=socket.socket(socket.AF_INET,socket.SOCK_RAW,112)
s.setsockopt(socket.IPPROTO_IP,socket.IP_MULTICAST_IF,socket.inet_aton('192.168.11.82'))
s.setsockopt(socket.IPPROTO_IP,socket.IP_MULTICAST_TTL,ttl)
for i in range(n):
    s.sendto(body,('224.0.0.18',0)); time.sleep(1)
